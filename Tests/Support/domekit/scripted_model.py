"""A model that follows a script: the Responses API, streamed, on a port of the loopback. For clients that want one."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable
from typing import Any, ClassVar

# What the model answers to one request: the items of its turn. None: what it needs is not there yet; it has the client
# wait a moment, and is asked again.
Step = Callable[[dict[str, Any]], list[dict[str, Any]] | None]
WAIT = "wait-"


def say(text: str) -> dict[str, Any]:
    """A message, which ends the client's turn."""
    return {
        "type": "message",
        "role": "assistant",
        "id": "message",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def call(name: str, arguments: Any, *, namespace: str | None = None, number: int = 1) -> dict[str, Any]:
    """A call of a function."""
    item = {
        "type": "function_call",
        "id": f"item-{number}",
        "call_id": f"call-{number}",
        "name": name,
        "arguments": json.dumps(arguments),
    }
    return item | ({"namespace": namespace} if namespace else {})


def outputs(request: dict[str, Any]) -> list[Any]:
    """What the calls brought so far, oldest first, as the client passes it to the model."""
    kinds = ("function_call_output", "custom_tool_call_output", "tool_search_output")
    items = [item for item in request["input"] if item.get("type") in kinds]
    return [item for item in items if not item["call_id"].startswith(WAIT)]


class ScriptedModel:
    """Serves while it is entered. `steps` are taken in turn, one a request; the last one goes on for ever."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.requests: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.waits = 0
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version: ClassVar[str] = "HTTP/1.1"

            def log_message(self, *arguments: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if not self.path.endswith("/responses"):
                    return self.reply(404, "application/json", b"{}")
                self.reply(200, "text/event-stream", model.answer(json.loads(body)))

            def do_GET(self) -> None:
                self.reply(404, "application/json", b"{}")

            def reply(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def answer(self, request: dict[str, Any]) -> bytes:
        with self.lock:
            step = self.steps[min(len(self.requests) - self.waits, len(self.steps) - 1)]
            self.requests.append(request)
        try:
            items = step(request)
            if items is None:
                self.waits += 1
                assert self.waits < 50, "the client never gets ready"
                wait = call("exec_command", {"cmd": "sleep 0.2"}) | {"call_id": f"{WAIT}{self.waits}"}
                items = [wait]
        except Exception as error:  # a broken script must end the client's turn, not hang it
            self.problems.append(repr(error))
            items = [say(f"the script failed: {error!r}")]
        response = {"id": f"response-{len(self.requests)}", "object": "response"}
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        events = [{"type": "response.created", "response": response}]
        events += [{"type": "response.output_item.done", "output_index": n, "item": i} for n, i in enumerate(items)]
        events += [{"type": "response.completed", "response": response | {"usage": usage, "output": items}}]
        return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()

    def __enter__(self) -> ScriptedModel:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
