"""A remote API in another language: Python's own http.server, and nothing of ours.

Leaves on standard output: one JSON line with its port, then one for each request: method, path, headers as they came,
in their order, and the body in base64. Answers 200. Ends when its standard input does, so it never outlives its starter.
"""

import base64
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

writing = threading.Lock()


def tell(what):
    with writing:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def receive(self):
        length = self.headers.get("Content-Length")
        # Without a length there is no body that this server could read: the test sees an empty one.
        body = self.rfile.read(int(length)) if length is not None else b""
        tell(
            {
                "method": self.command,
                "path": self.path,
                "headers": [[name, value] for name, value in self.headers.raw_items()],
                "body": base64.b64encode(body).decode("ascii"),
            }
        )
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT = do_DELETE = receive

    def log_message(self, *_):
        pass


def end_with_starter():
    sys.stdin.read()
    os._exit(0)


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=end_with_starter, daemon=True).start()
tell({"port": server.server_address[1]})
server.serve_forever()
