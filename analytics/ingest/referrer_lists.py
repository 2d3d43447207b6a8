"""Whose host is whose: mail providers, search engines and social networks (definitions 14).

Hosts are in lower case and without `www.`. Names are compared as a whole or as the end of a host after a dot, never as
a part of it: `google.evil.com`, `notgoogle.com` and `facebook.com.evil.com` are nobody's.
"""

import re


def listed(names: str) -> frozenset[str]:
    return frozenset(names.split())


# By full host. They stand before the search engines: mail.google.com is Google's as well.
MAIL_HOSTS = listed(
    """
    gmail.com googlemail.com inbox.google.com mail.google.com hotmail.com mail.live.com outlook.com outlook.live.com
    outlook.office.com outlook.office365.com outlook.cloud.microsoft office365.us mail.yahoo.com mail.yahoo.co.jp
    mail.aol.com account.proton.me mail.proton.me mail.protonmail.com old.protonmail.com protonmail.com proton.me
    app.tuta.com app.tutanota.com mail.tutanota.com tutanota.com app.fastmail.com beta.fastmail.com fastmail.com
    app.hey.com mail.zoho.com mail.zoho.eu mail.zoho.in mail.zoho.com.au mail.com navigator-lxa.mail.com
    navigator-bs.mail.com mail.hushmail.com hushmail.com mail.ionos.com mail.ionos.de email.ionos.com
    webmail.ionos.de mail.superhuman.com app.missiveapp.com app.frontapp.com mail.shortwave.com app.shortwave.com
    mail.notion.so mailbox.org app.mailbox.org office.mailbox.org posteo.de webmail.posteo.de email.t-online.de
    3c.web.de bap.navigator.web.de navigator.web.de 3c.gmx.net bap.navigator.gmx.net gmx.com navigator.gmx.net
    navigator-bs.gmx.net navigator-lxa.gmx.com freenetmail.de webmail.freenet.de webmail.strato.de mail.orange.fr
    messagerie.orange.fr messageriepro3.orange.fr webmail.orange.fr mail01.orange.fr laposte.net mail.laposte.net
    webmail.laposte.net zimbra.free.fr webmail.free.fr webmail.sfr.fr messagerie.sfr.fr mail.bbox.fr mail.libero.it
    mail1.libero.it mail.virgilio.it mail1.virgilio.it mail.tim.it mail.tiscali.it webmail.aruba.it
    correo.movistar.es webmail.telenet.be webmail.proximus.be webmail.kpnmail.nl webmail.ziggo.nl webmail.xs4all.nl
    mail.bluewin.ch webmail.hostpoint.ch mail.infomaniak.com ksuite.infomaniak.com webmail.btconnect.com
    mail.virginmedia.com mail.sky.com mail.comcast.net connect.xfinity.com webmail.spectrum.net mail.cox.net
    mail.earthlink.net webmail.optimum.net mail.telus.net webmail.bell.net email.seznam.cz mail.centrum.cz
    webmail.volny.cz poczta.interia.pl poczta.o2.pl poczta.onet.pl poczta.wp.pl freemail.hu mail.abv.bg abv.bg
    e.mail.ru light.mail.ru octavius.mail.ru touch.mail.ru mail.rambler.ru mail.ukr.net freemail.ukr.net
    mail.yandex.com mail.yandex.by mail.yandex.kz mail.yandex.ru mail.yandex.com.tr mail.qq.com wx.mail.qq.com
    exmail.qq.com mail.foxmail.com mail.163.com mail.126.com mail.yeah.net mail.139.com mail.189.cn mail.10086.cn
    mail.sina.com.cn mail.sina.cn mail.sohu.com mail.aliyun.com qiye.aliyun.com mail.naver.com mail.daum.net
    mail.kakao.com mail.nate.com mail.nifty.com mail.rediff.com mail.rediffmail.com email.uol.com.br mail.uol.com.br
    mail.terra.com.br email.bol.uol.com.br deref-gmx.net deref-gmx.com deref-gmx.de deref-gmx.at deref-gmx.ch
    deref-gmx.fr deref-gmx.es deref-gmx.it deref-gmx.co.uk deref-web.de deref-mail.com deref-1und1.de
    deref-1und1-02.de lightmailer.gmx.net lightmailer-bs.gmx.net lightmailer-bap.gmx.net lightmailer-bap.web.de
    lightmailer-bs.web.de lightmailer.mail.com 3c-bap.web.de 3c-bs.gmx.net 3c-bap.gmx.net 3c-lxa.mail.com
    email.ionos.de email.ionos.es email.ionos.fr email.ionos.it email.ionos.ca email.ionos.co.uk email.bluewin.ch
    mail.vodafone.de email.telstra.com webmail.iinet.net.au mail.optusnet.com.au webmail.optusnet.com.au
    mail02.orange.fr webmail.tim.it mail.yandex.ua mail2.daum.net inbox.com mail.qip.ru
    """
)

# By the registered domain itself and its host `m.` (and `www.`, which is gone before anybody looks here).
SEARCH_DOMAINS = listed(
    """
    bing.com duckduckgo.com baidu.com so.com sogou.com sm.cn haosou.com naver.com daum.net nate.com coccoc.com
    goo.ne.jp aol.com ask.com dogpile.com excite.com info.com lycos.com webcrawler.com metacrawler.com ecosia.org
    qwant.com startpage.com ixquick.com swisscows.com swisscows.ch mojeek.com mojeek.co.uk kagi.com presearch.com
    presearch.org metager.org metager.de lilo.org gibiru.com yep.com you.com karmasearch.org oceanhero.today
    ekoru.org entireweb.com gigablast.com wolframalpha.com petalsearch.com marginalia-search.com stract.com searx.be
    rambler.ru sputnik.ru seznam.cz zoznam.sk szukaj.com kvasir.no eniro.se walla.co.il najdi.si search.com
    alltheweb.com altavista.com exalead.com hotbot.com looksmart.com teoma.com yippy.com zapmeta.com nigma.ru
    meta.ua mysearch.com soso.com zapmeta.de zapmeta.co.uk
    """
)

# Hosts of search engines whose domain is something else besides, by full host.
SEARCH_HOSTS = listed(
    """
    search.brave.com search.aol.com search.aol.co.uk suche.aol.de recherche.aol.fr search.lycos.com
    search.excite.com cn.bing.com global.bing.com www2.bing.com www4.bing.com lens.google.com html.duckduckgo.com
    lite.duckduckgo.com safe.duckduckgo.com start.duckduckgo.com noai.duckduckgo.com lite.qwant.com uk.ask.com
    de.ask.com fr.ask.com es.ask.com eu.startpage.com us.startpage.com image.baidu.com news.baidu.com wap.baidu.com
    m.so.com news.so.com image.so.com pic.sogou.com wap.sogou.com weixin.sogou.com news.sogou.com quark.sm.cn
    so.360.cn so.toutiao.com search.naver.com m.search.naver.com search.daum.net m.search.daum.net search.zum.com
    search.nate.com search.goo.ne.jp search.biglobe.ne.jp websearch.rakuten.co.jp cgi.search.biglobe.ne.jp
    search.nifty.com go.mail.ru nova.rambler.ru search.seznam.cz search.centrum.cz search.atlas.cz hladaj.atlas.sk
    suche.t-online.de suche.web.de suche.gmx.net suche.freenet.de search.gmx.com search.gmx.co.uk search.mail.com
    lemoteur.orange.fr lemoteur.fr recherche.orange.fr recherche.sfr.fr ricerca.libero.it ricerca.virgilio.it
    search.tiscali.it szukaj.onet.pl szukaj.wp.pl busca.uol.com.br search.ch search.live.com search.msn.com
    search.xfinity.com search.comcast.net search.earthlink.net search.avast.com search.avg.com search.norton.com
    nortonsafe.search.ask.com safesearch.avira.com search.conduit.com search.mywebsearch.com search.marginalia.nu
    search.metager.org leta.mullvad.net priv.au searx.tiekoetter.com search.disroot.org baresearch.org
    search.babylon.com isearch.babylon.com search.bt.com search.free.fr search.bluewin.ch search.walla.co.il
    image.search.naver.com search.tut.by search.ukr.net search.i.ua pesquisa.sapo.pt buscador.terra.com.br
    search.lilo.org so.m.sm.cn yz.m.sm.cn m.yz.sm.cn search.juno.com search.netzero.net search.aol.ca search.aol.fr
    search.aol.de search.aol.it
    """
)

# Search engines with a domain in every country (com, de, co.uk, com.br), its host `m.` and its search hosts.
COUNTRY = r"(?:com|[a-z]{2}|com?\.[a-z]{2})"
NATIONAL_SEARCH = re.compile(
    rf"(?:(?:m|news|images|video|scholar|books|blogsearch|cse|encrypted|ipv4|ipv6)\.)?google\.(?:{COUNTRY}|cat)"
    rf"|(?:m\.)?yahoo\.{COUNTRY}|(?:[a-z0-9-]+\.){{0,2}}search\.yahoo\.{COUNTRY}"
    rf"|(?:(?:m|news|images|search|clck)\.)?yandex\.(?:{COUNTRY}|eu)|(?:m\.)?ya\.ru"
)

# By registered domain: the domain and every host under it.
SOCIAL_DOMAINS = listed(
    """
    facebook.com fb.com fb.me fb.watch messenger.com workplace.com instagram.com instagr.am ig.me threads.net
    threads.com whatsapp.com wa.me t.co twitter.com x.com bsky.app bsky.social skyfeed.app linkedin.com lnkd.in
    xing.com viadeo.com reddit.com redd.it news.ycombinator.com lobste.rs digg.com stumbleupon.com tildes.net
    lemmy.world lemmy.ml youtube.com youtu.be youtube-nocookie.com vimeo.com dailymotion.com twitch.tv rumble.com
    odysee.com bilibili.com nicovideo.jp tiktok.com douyin.com kuaishou.com likee.video snapchat.com pin.it
    flickr.com 500px.com deviantart.com behance.net dribbble.com imgur.com 9gag.com weheartit.com tumblr.com
    umblr.com quora.com livejournal.com telegram.org telegram.me t.me discord.com discord.gg discordapp.com
    viber.com signal.org signal.group line.me kakao.com story.kakao.com band.us wechat.com weixin.qq.com weixin.com
    zalo.me weibo.com weibo.cn t.cn qzone.qq.com douban.com zhihu.com xiaohongshu.com xhslink.com renren.com
    tieba.baidu.com vk.com vk.ru vk.me vkontakte.ru ok.ru odnoklassniki.ru my.mail.ru dzen.ru zen.yandex.ru
    mastodon.social mastodon.online mastodon.world mastodon.cloud mastodon.art mastodonapp.uk mstdn.social mstdn.jp
    mas.to fosstodon.org hachyderm.io chaos.social infosec.exchange techhub.social ruhr.social norden.social
    troet.cafe piaille.fr mamot.fr pawoo.net universeodon.com social.tchncs.de toot.community masto.ai
    indieweb.social pixelfed.social joinmastodon.org nextdoor.com nextdoor.co.uk nextdoor.de meetup.com mixi.jp
    gab.com gettr.com parler.com truthsocial.com minds.com mewe.com myspace.com ello.co vero.co clubhouse.com
    bere.al tagged.com badoo.com hi5.com taringa.net soundcloud.com last.fm foursquare.com swarmapp.com
    goodreads.com letterboxd.com strava.com producthunt.com ow.ly
    """
)
# Social networks with a domain in every country.
NATIONAL_SOCIAL = re.compile(rf"(?:[a-z0-9-]+\.)*pinterest\.{COUNTRY}")

# Apps, which Android names instead of a host (android-app://com.google.android.gm/). By full name.
MAIL_APPS = listed(
    """
    com.google.android.gm com.google.android.gm.lite com.microsoft.office.outlook
    com.yahoo.mobile.client.android.mail ch.protonmail.android me.proton.android.mail com.fsck.k9
    net.thunderbird.android com.samsung.android.email.provider com.android.email com.readdle.spark com.my.mail
    ru.mail.mailapp ru.yandex.mail de.gmx.mobile.android.mail de.web.mobile.android.mail de.telekom.mail
    com.aol.mobile.aolapp com.easilydo.mail com.tencent.androidqqmail de.tutao.tutanota com.fastmail.app
    org.kman.aquamail eu.faircode.email com.nhn.android.mail com.zoho.mail
    """
)
SEARCH_APPS = listed(
    """
    com.google.android.googlequicksearchbox com.google.android.apps.searchlite com.microsoft.bing
    com.yandex.searchapp ru.yandex.searchplugin com.baidu.searchbox com.nhn.android.search net.daum.android.daum
    jp.co.yahoo.android.yjtop
    """
)
SOCIAL_APPS = listed(
    """
    com.facebook.katana com.facebook.lite com.facebook.orca com.facebook.mlite com.instagram.android
    com.instagram.barcelona com.instagram.lite com.whatsapp com.whatsapp.w4b com.twitter.android
    com.twitter.android.lite xyz.blueskyweb.app com.linkedin.android com.reddit.frontpage com.google.android.youtube
    com.zhiliaoapp.musically com.ss.android.ugc.trill com.ss.android.ugc.aweme com.snapchat.android com.pinterest
    com.tumblr com.quora.android org.telegram.messenger org.telegram.messenger.web org.thunderdog.challegram
    com.discord com.viber.voip org.thoughtcrime.securesms jp.naver.line.android com.kakao.talk com.tencent.mm
    com.sina.weibo com.zhihu.android com.xingin.xhs com.vkontakte.android ru.ok.android com.xing.android
    org.joinmastodon.android com.nextdoor tv.twitch.android.app com.vimeo.android.videoapp
    com.laurencedawson.reddit_sync io.syncapps.lemmy_sync com.andrewshu.android.reddit me.ccrama.redditslide
    """
)
