"""A mail server for tests: takes mail over SMTP as a real one does, and refuses what it is told to refuse."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """`refused` are the addresses it takes no mail for; `hangs_up` makes it close the line instead of answering."""

    port: int = 0
    refused: set[str] = field(default_factory=set)
    hangs_up: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    connections: int = 0

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]


class Line(socketserver.StreamRequestHandler):
    mail_server: MailServer

    def handle(self) -> None:
        self.mail_server.connections += 1
        self.say("220 mail.example")
        recipient = ""
        for raw in self.rfile:
            line = raw.decode().strip()
            word = line.upper()[:4]
            if self.mail_server.hangs_up and word == "MAIL":
                return
            if word == "RCPT":
                recipient = line.partition("<")[2].partition(">")[0]
                self.say("550 nobody here" if recipient in self.mail_server.refused else "250 ok")
            elif word == "DATA":
                self.say("354 go on")
                self.take()
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def take(self) -> None:
        lines = []
        for raw in self.rfile:
            if raw == b".\r\n":
                break
            lines.append(raw.removeprefix(b".") if raw.startswith(b"..") else raw)
        self.mail_server.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self.say("250 taken")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    state = MailServer()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), type("Handler", (Line,), {"mail_server": state})) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
        thread.start()
        yield state
        server.shutdown()
        thread.join()
