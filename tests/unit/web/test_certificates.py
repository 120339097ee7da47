"""Where trusted certificates are read from: as Go reads them, and nothing that is no certificate is in the way."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
import trustme

from go_prefetch.web.certificate_places import Certificates
from go_prefetch.web.certificates import trust
from go_prefetch.web.http_settings import HttpSettings

FIRST, SECOND = trustme.CA(organization_name="First"), trustme.CA(organization_name="Second")
JUNK = b"-----BEGIN CERTIFICATE-----\nQUFBQQ==\n-----END CERTIFICATE-----\n"


def organizations(places: Certificates) -> set[str]:
    """Of the authorities that are trusted and were made for this test."""
    subjects = str([certificate["subject"] for certificate in trust(places).get_ca_certs()])
    return {name for name in ("First", "Second") if f"('organizationName', '{name}')" in subjects}


def test_every_file_of_a_folder_is_read_whatever_its_name(tmp_path: Path) -> None:
    """OpenSSL reads those named by a hash only."""
    (tmp_path / "company.pem").write_bytes(b"A comment.\n" + JUNK + FIRST.cert_pem.bytes())
    (tmp_path / "no-ending").write_bytes(SECOND.cert_pem.bytes())
    (tmp_path / "README").write_bytes(b"\xff no certificate")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for a writer
    (tmp_path / "12345678.0").symlink_to("company.pem")
    (tmp_path / "dangling").symlink_to("/nowhere/file")
    assert organizations(Certificates(folders=(Path("/nowhere"), tmp_path))) == {"First", "Second"}


def test_the_first_readable_bundle_counts(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(FIRST.cert_pem.bytes())
    two.write_bytes(SECOND.cert_pem.bytes())
    assert organizations(Certificates(files=(tmp_path / "none", one, two), folders=())) == {"First"}


def test_named_places_must_have_a_certificate(tmp_path: Path) -> None:
    file, empty = tmp_path / "file", tmp_path / "empty"
    file.write_bytes(FIRST.cert_pem.bytes())
    empty.mkdir()
    assert organizations(Certificates(named=(file,), files=(), folders=())) == {"First"}
    (tmp_path / "junk").write_bytes(b"no certificate")
    for named in (tmp_path / "none", tmp_path / "junk", empty):
        with pytest.raises(OSError, match=str(named)):
            trust(Certificates(named=(named,)))


def test_variables_replace_the_defaults_of_go() -> None:
    default = Certificates.from_environ({"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""})
    assert default == Certificates()
    assert default.files[0] == Path("/etc/ssl/certs/ca-certificates.crt")
    named = Certificates.from_environ({"SSL_CERT_FILE": "/a", "SSL_CERT_DIR": "/b:/c", "CURL_CA_BUNDLE": "/d"})
    assert named == Certificates(named=(Path("/d"),), files=(Path("/a"),), folders=(Path("/b"), Path("/c")))


def test_verification_is_no_stricter_than_that_of_go() -> None:
    """Python 3.13 refuses certificates of company authorities that lack an extension."""
    context = trust(Certificates())
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


def test_forge_settings_trust_the_authority_of_gitlab(tmp_path: Path) -> None:
    file = tmp_path / "CI_SERVER_TLS_CA_FILE"
    environ = {"CI_SERVER_TLS_CA_FILE": str(file)}
    assert HttpSettings.of_forge(environ).certificates.named == ()
    file.write_bytes(FIRST.cert_pem.bytes())
    assert HttpSettings.of_forge(environ).certificates.named == (file,)
    assert HttpSettings.from_environ(environ).certificates.named == ()
