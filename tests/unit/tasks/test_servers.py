"""Servers are closed to the network unless there is a password."""

import socket

import pytest

from acl_core.errors import AclError
from tasks.servers import run_servers


def test_an_open_address_needs_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_SERVER_API_AUTH_STRING", raising=False)
    with pytest.raises(AclError, match="open to the network"):
        run_servers("0.0.0.0", 1, 2)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AclError, match=f"127.0.0.1:{port}: .*running already"):
            run_servers("127.0.0.1", port, port + 1)


def test_an_address_of_ipv6_is_refused_in_one_line() -> None:
    with pytest.raises(AclError, match="::1: the servers listen on IPv4"):
        run_servers("::1", 1, 2)
