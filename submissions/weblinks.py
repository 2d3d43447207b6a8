"""Links that stand in what a host writes, beside the one that proves the event."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import disposable_email_domains


def listed(hosts: str) -> frozenset[str]:
    return frozenset(hosts.split())


# An address is a link without a scheme as well when it has a path: `example.com/offer`. A bare name may be anything,
# and so may what follows an @.
LINK = re.compile(
    r"https?://[^\s<>\"'\[\])(،؛]+"
    r"|(?<![\w@.])www\.[^\s<>\"'\[\])(،؛]+"
    r"|(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,5}[a-z]{2,24}/[^\s<>\"'\[\])(،؛]+",
    re.IGNORECASE,
)
# Of HTML and BBCode: only machines read them.
MARKUP = re.compile(r"<\s*a\s[^>]{0,200}href|\[/?url\b|\[link=", re.IGNORECASE)
TRAILING = ".,;:!?…»”*_~"

# Hide where they lead. Those that belong to one service and lead into it (youtu.be, maps.app.goo.gl) do not.
SHORTENERS = listed(
    """
    bit.ly bitly.com j.mp tinyurl.com t.co is.gd v.gd ow.ly buff.ly cutt.ly rb.gy shorturl.at shorturl.com t.ly
    tiny.cc tiny.one rebrand.ly bl.ink s.id short.io shorte.st adf.ly clck.ru goo.su u.to x.co qr.ae trib.al soo.gd
    urlz.fr lc.cx huit.re vu.fr frama.link chilp.it cli.re shrtco.de 9qr.de ulvis.net da.gd hyperurl.co dlvr.it
    lnkd.in snip.ly mcaf.ee po.st git.io han.gl me2.do vk.cc surl.li n9.cl acortar.link encurtador.com.br kutt.it
    shorter.me bitly.ws urlr.me gg.gg linklyhq.com tr.im su.pr zpr.io
    """
)
# Where events are sold, announced, shown and found: hosts name them beside their own page.
PLATFORMS = listed(
    """
    eventbrite.com eventbrite.fr eventbrite.co.uk eventbrite.ca eventbrite.be shotgun.live dice.fm ra.co
    residentadvisor.net billetweb.fr weezevent.com helloasso.com billetreduc.com fnacspectacles.com ticketmaster.com
    ticketmaster.fr ticketmaster.co.uk ticketac.com theatreonline.com digitick.com seetickets.com skiddle.com
    yurplan.com festik.net mapado.com placeminute.com lu.ma luma.com partiful.com meetup.com bandsintown.com
    songkick.com tickettailor.com universe.com xceed.me sortiraparis.com parisbouge.com openagenda.com framadate.org
    doodle.com tazkarti.com platinumlist.net webook.com facebook.com fb.me instagram.com threads.net twitter.com
    x.com tiktok.com youtube.com youtu.be vimeo.com soundcloud.com bandcamp.com spotify.com deezer.com mixcloud.com
    bsky.app mastodon.social linkedin.com linktr.ee google.com goo.gl maps.app.goo.gl openstreetmap.org osm.org
    citymapper.com wikipedia.org what3words.com
    """
)


@dataclass(frozen=True)
class Link:
    """A link as it was written, and its host in lower case without `www.`."""

    text: str
    host: str

    def leads_to(self, hosts: frozenset[str]) -> bool:
        """Whether its host is one of these, or below one."""
        return is_among(self.host, hosts)

    @property
    def address(self) -> str:
        """To compare links with: without scheme, `www.` and a slash at the end."""
        bare = re.sub(r"^https?://", "", self.text, flags=re.IGNORECASE)
        return re.sub(r"^www\.", "", bare, flags=re.IGNORECASE).rstrip("/").lower()


def links_in(text: str) -> list[Link]:
    """The links of a text, in order, each address once."""
    found: dict[str, Link] = {}
    for match in LINK.finditer(text):
        link = read(match[0].rstrip(TRAILING))
        if link is not None:
            found.setdefault(link.address, link)
    return list(found.values())


def read(text: str) -> Link | None:
    try:
        host = urlsplit(text if "://" in text else f"https://{text}").hostname or ""
    except ValueError:
        return None
    host = host.lower().rstrip(".").removeprefix("www.")
    return Link(text, host) if "." in host else None


def has_markup(text: str) -> bool:
    return MARKUP.search(text) is not None


def is_disposable(email: str) -> bool:
    """Whether the address is of a service that gives it to anybody for some minutes."""
    return is_among(email.rpartition("@")[2].lower().rstrip("."), disposable_email_domains.blocklist)


def is_among(host: str, hosts: "frozenset[str] | set[str]") -> bool:
    labels = host.split(".")
    return any(".".join(labels[start:]) in hosts for start in range(len(labels) - 1))
