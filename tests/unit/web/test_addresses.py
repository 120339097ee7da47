"""Which addresses are public, whatever they hide, and which hosts are this machine."""

from __future__ import annotations

import pytest

from go_prefetch.web.addresses import Reach, is_loopback, is_public, is_within, is_written_within


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.2.3.4", True), ("2606:4700::1", True), ("64:ff9b::102:304", True), ("::ffff:1.2.3.4", True),
        ("2002:102:304::1", True),
        ("127.0.0.1", False), ("10.0.0.1", False), ("172.31.0.1", False), ("192.168.1.1", False), ("0.0.0.0", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("192.0.0.192", False), ("168.63.129.16", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("198.18.0.1", False),
        ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fd00:ec2::254", False), ("ff02::1", False),
        ("fec0::1", False), ("2001:db8::1", False),
        ("::ffff:127.0.0.1", False), ("::ffff:169.254.169.254", False), ("::127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("2002:7f00:1::", False), ("2002:a9fe:a9fe::1", False), ("2002:a00:1:1::1", False),
        ("64:ff9b::7f00:1", False), ("64:ff9b::a9fe:a9fe", False), ("64:ff9b:1::a00:1", False),
        ("2001:0:102:304:0:0:80ff:fffe", False),
    ],
)  # fmt: skip
def test_an_address_is_as_public_as_what_it_ends_at(address: str, public: bool) -> None:
    assert is_public(address) == public


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True), ("127.1", True), ("2130706433", True), ("0177.0.0.1", True), ("0x7f.1", True),
        ("[::1]", True), ("::ffff:7f00:1", True), ("64:ff9b::7f00:1", True), ("localhost", True), ("LOCALHOST.", True),
        ("10.0.0.1", True), ("1.2.3.4", False), ("16909060", False), ("modules.test", False), ("", False),
        ("a" * 300, False), ("x..y", False), ("127.0.0.1.nip.test", False),
    ],
)  # fmt: skip
def test_a_written_address_is_known_in_every_spelling(host: str, private: bool) -> None:
    """A name is none, whatever it resolves to: nobody is asked."""
    assert is_written_within(host, Reach.PUBLIC) != private


@pytest.mark.parametrize(
    ("address", "within"),
    [
        ("1.2.3.4", True), ("10.0.0.1", True), ("192.168.1.1", True), ("100.64.0.1", True), ("fd12::1", True),
        ("127.0.0.1", True), ("64:ff9b::a00:1", True),
        ("169.254.169.254", False), ("168.63.129.16", False), ("192.0.0.192", False), ("100.100.100.200", False),
        ("fe80::1%eth0", False), ("fd00:ec2::254", False), ("::ffff:169.254.169.254", False), ("0.0.0.0", False),
        ("64:ff9b::a9fe:a9fe", False), ("224.0.0.1", False),
    ],
)  # fmt: skip
def test_networks_are_in_reach_and_metadata_of_clouds_is_not(address: str, within: bool) -> None:
    assert is_within(address, Reach.NETWORK) == within
    assert is_written_within(address, Reach.NETWORK) == within
    assert is_within(address, Reach.ANYWHERE)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True),
        ("localhost.a.test", False), ("127.0.0.1.a.test", False), ("a.localhost", False), ("localhost.", False),
        ("10.0.0.1", False), ("", False),
    ],
)  # fmt: skip
def test_who_may_be_told_a_password_in_clear_text(host: str, loopback: bool) -> None:
    """Only this machine: a name below `localhost`, or with a dot behind it, may be looked up in the DNS."""
    assert is_loopback(host) == loopback
