"""A server on this machine that speaks files and batches as OpenAI's does."""

import json
import re

from support.helpers import Server, chat_completion


class BatchServer(Server):
    """Answers each request of a batch by `say`: content → (HTTP status, body), or a code instead of an answer.

    A batch is in progress until `finish` names how it ends; None leaves it in progress. What `say` answers
    with 200 goes to the output file, all else to the error file, both in reversed order.
    """

    def __init__(self, say=None, finish="completed", key=None):
        self.say, self.finish, self.key = say or (lambda content: (200, chat_completion(content.upper()))), finish, key
        self.files, self.batches = {}, {}
        super().__init__(self.reply)

    @property
    def asked(self):
        """Contents of all requests that were submitted, batch by batch."""
        return [
            [line["body"]["messages"][-1]["content"] for line in self.lines(batch["input_file_id"])]
            for batch in self.batches.values()
        ]

    def lines(self, file):
        return [json.loads(line) for line in self.files[file].split("\n") if line]

    def reply(self, path, headers, body):
        if self.key and headers.get("Authorization") != f"Bearer {self.key}":
            return 401, {"error": {"message": headers.get("Authorization")}}
        path, _, _ = path.partition("?")
        kind, _, rest = path.removeprefix("/v1/").partition("/")
        if kind == "files" and rest:
            return 200, self.files[rest.removesuffix("/content")].encode()
        if kind == "files":
            assert 'name="purpose"' in body and "batch" in body
            content = re.search(r'name="file".*?\r\n\r\n(.*?)\r\n--', body, re.DOTALL).group(1)
            name = self.keep(content)
            return 200, {"id": name, "object": "file", "bytes": len(content), "created_at": 1,
                         "filename": "requests.jsonl", "purpose": "batch", "status": "processed"}  # fmt: skip
        if rest:
            batch = self.batches.get(rest)
            return (200, self.ended(batch)) if batch else (404, {"error": {"message": "no such batch"}})
        if body:
            return 200, self.create(**json.loads(body))
        return 200, {"object": "list", "data": list(self.batches.values()), "has_more": False}

    def keep(self, content):
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name

    def create(self, input_file_id, endpoint, completion_window):
        assert (endpoint, completion_window) == ("/v1/chat/completions", "24h")
        name = f"batch_{len(self.batches)}"
        self.batches[name] = {
            "id": name, "object": "batch", "endpoint": endpoint, "input_file_id": input_file_id,
            "completion_window": completion_window, "status": "in_progress", "created_at": 1,
        }  # fmt: skip
        return self.batches[name]

    def ended(self, batch):
        if not self.finish or batch["status"] != "in_progress":
            return batch
        batch["status"] = self.finish
        if self.finish == "failed":
            batch["errors"] = {"object": "list", "data": [{"code": "token_limit_exceeded", "message": f"{self.key}"}]}
            return batch
        rows = {True: [], False: []}
        for line in self.lines(batch["input_file_id"]):
            said = self.say(line["body"]["messages"][-1]["content"])
            row = {"id": "x", "custom_id": line["custom_id"], "response": None, "error": None}
            if isinstance(said, str):
                row["error"] = {"code": said, "message": f"{self.key}"}
            else:
                row["response"] = {"status_code": said[0], "request_id": "r", "body": said[1]}
            rows[bool(row["response"]) and said[0] == 200].append(json.dumps(row))
        for good, name in ((True, "output_file_id"), (False, "error_file_id")):
            if rows[good]:
                batch[name] = self.keep("\n".join(reversed(rows[good])) + "\n")
        return batch
