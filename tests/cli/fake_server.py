"""A server that answers the command line from a script: it writes down what it is asked, a test says what it answers.

Answers are looked up by "METHOD /path" without the query. An answer is a status and a body; of a list of answers each
question takes the next, and the last stays. A callable is given the question and makes the answer.
"""

import collections
import http.server
import json
import sys
import threading
import urllib.parse

Asked = collections.namedtuple("Asked", "method path query body headers")


class Listener(http.server.ThreadingHTTPServer):
    """Does not complain of clients that leave, nor of tests that hang up on them."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class FakeServer:
    def __init__(self, port=0):
        self.answers, self.asked = {}, []
        self.lock = threading.Lock()
        self.server = Listener(("127.0.0.1", port), self.handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def says(self, question, *answers):
        """Each of `answers` is a body (status 200), a pair of status and body, or a callable."""
        self.answers[question] = list(answers)

    def refuses(self, question, status, name, detail, **more):
        self.says(question, (status, {"type": f"urn:lull:error:{name}", "title": name, "status": status,
                                      "detail": detail, **more}))

    def answer_to(self, asked):
        with self.lock:
            self.asked.append(asked)
            answers = self.answers.get(f"{asked.method} {asked.path}")
            if not answers:
                return 404, {"type": "urn:lull:error:not_found", "title": "not found", "status": 404,
                             "detail": f"there is no {asked.path}"}
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(asked)
        return answer if isinstance(answer, tuple) else (200, answer)

    def questions(self):
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    def handler(fake):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self):
                where = urllib.parse.urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                status, answer = fake.answer_to(Asked(self.command, where.path,
                                                      dict(urllib.parse.parse_qsl(where.query)), body,
                                                      dict(self.headers)))
                is_raw = isinstance(answer, bytes)
                data = answer if is_raw else json.dumps(answer).encode()
                kind = "octet-stream" if is_raw else "problem+json" if status >= 400 else "json"
                self.send_response(status)
                self.send_header("Content-Type", f"application/{kind}")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = respond

            def log_message(self, *_):
                pass

        return Handler
