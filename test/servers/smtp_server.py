"""A mail server by other makers (aiosmtpd), which wants STARTTLS and a login, and reads mails with Python's own parser.

Reads one line of JSON: port, cert, key, user, password. Prints a line of JSON when it listens, and one for each mail.
Ends with its standard input.
"""

import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

job = json.loads(sys.stdin.readline())


def tell(**fields):
    print(json.dumps(fields), flush=True)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = mail.get_body(("plain",))
        html = mail.get_body(("html",))
        tell(
            sender=envelope.mail_from,
            to=envelope.rcpt_tos,
            tls=session.ssl is not None,
            headers={name.lower(): value for name, value in mail.items()},
            text=text.get_content() if text else None,
            html=html.get_content() if html else None,
            defects=[repr(defect) for part in mail.walk() for defect in part.defects],
        )
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and data == LoginPassword(job["user"].encode(), job["password"].encode())
    # Not handled: the server itself says 535.
    return AuthResult(success=known, handled=known)


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(job["cert"], job["key"])
controller = Controller(
    Handler(),
    hostname="127.0.0.1",
    port=job["port"],
    tls_context=context,
    require_starttls=True,
    auth_required=True,
    authenticator=authenticate,
)
controller.start()
tell(listening=True)
sys.stdin.read()
controller.stop()
