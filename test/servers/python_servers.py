"""Servers that ask who we are, each by the software that others check with: httpbin (digest) or oauthlib (OAuth 1).

    python_servers.py httpbin | oauth1

Leaves on standard output: one line with its port. Ends when its standard input does, so it never outlives its starter.
"""

import sys
import threading

from werkzeug.serving import WSGIRequestHandler, make_server


def httpbin_app():
    from httpbin import app

    # httpbin asks for digest with GET alone; what it checks is the same for the methods that we forward with.
    app.add_url_rule(
        "/digest/<qop>/<user>/<passwd>/<algorithm>",
        view_func=app.view_functions["digest_auth_nostale"],
        methods=["POST", "PUT", "DELETE"],
    )
    app.add_url_rule(
        "/bearer-too", view_func=app.view_functions["bearer_auth"], methods=["POST", "PUT", "DELETE"]
    )
    return app


def oauth1_app():
    from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint

    class Validator(RequestValidator):
        enforce_ssl = False
        seen = set()

        @property
        def allowed_signature_methods(self):
            return ("HMAC-SHA1", "HMAC-SHA256")

        client_key_length = (3, 30)
        access_token_length = (3, 30)
        nonce_length = (20, 60)

        def check_client_key(self, client_key):
            return len(client_key) >= 3

        def validate_client_key(self, client_key, request):
            return client_key == "consumer"

        def get_client_secret(self, client_key, request):
            return "consumer secret & more"

        def get_access_token_secret(self, client_key, token, request):
            return "token+secret"

        def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, **_):
            fresh = (timestamp, nonce) not in self.seen
            self.seen.add((timestamp, nonce))
            return fresh

    endpoint = SignatureOnlyEndpoint(Validator())

    def app(environ, start_response):
        from werkzeug.wrappers import Request

        request = Request(environ)
        url = request.host_url.rstrip("/") + environ["RAW_URI"]
        valid, _ = endpoint.validate_request(url, request.method, request.get_data().decode("utf-8"), dict(request.headers))
        start_response("200 OK" if valid else "401 Unauthorized", [("Content-Type", "text/plain")])
        return [b"" if valid else b"the signature is not valid"]

    return app


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


server = make_server(
    "127.0.0.1",
    0,
    {"httpbin": httpbin_app, "oauth1": oauth1_app}[sys.argv[1]](),
    threaded=True,
    request_handler=Quiet,
)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
