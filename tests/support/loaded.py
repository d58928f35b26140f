"""A model that says when it is loaded, what it is asked and when it is closed."""

from refuseu.backends.completion import Completion, Decoding

ROW = {"model": "m", "backend": "vllm", "repository": "org/m", "revision": "a" * 40, "dtype": "auto", "endpoint": ""}
GREEDY = Decoding(0.0, 1.0, 4)


class Model:
    """Answers with the question; ``long`` is cut unless there is room, and ``broken`` has no answer."""

    def __init__(self, said):
        self.said = said
        said.append("loaded")

    def complete(self, conversations, decoding, seeds):
        for index, asked in enumerate(conversations):
            self.said.append(asked)
            if asked == "broken":
                raise RuntimeError("no answer")
            cut = "length" if decoding.max_new_tokens == GREEDY.max_new_tokens and asked == "long" else "stop"
            yield index, Completion(asked, cut, 1, 1, None)

    def close(self):
        self.said.append("closed")
