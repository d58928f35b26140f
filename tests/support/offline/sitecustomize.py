"""Python imports this by itself where its folder is on the path: only this machine can be reached."""

import socket

HERE = {"", "localhost", "0.0.0.0", "::", "::1", socket.gethostname()}


def check(host):
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    if name not in HERE and not name.startswith("127."):
        raise OSError(f"tests reach only this machine, not {name}")


def guarded(call):
    """A method of sockets that looks at the address first; paths and the like lie on this machine."""

    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            check(address[0])
        return call(self, address)

    return connect


def looked_up(call):
    def getaddrinfo(host, *arguments, **named):
        check(host)
        return call(host, *arguments, **named)

    return getaddrinfo


socket.socket.connect = guarded(socket.socket.connect)
socket.socket.connect_ex = guarded(socket.socket.connect_ex)
socket.getaddrinfo = looked_up(socket.getaddrinfo)
