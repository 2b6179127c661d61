import os
import stat

import pytest

from supervisor import keys
from supervisor.keys import SecretError


def test_made_once_for_this_user_only_and_then_kept(tmp_path):
    folder = tmp_path / "state"
    key, token = keys.site_key(folder), keys.api_token(folder)
    assert len(key) == 32 and len(token) == 64 and key.hex() != token
    assert (keys.site_key(folder), keys.api_token(folder)) == (key, token)
    assert sorted(os.listdir(folder)) == ["api.token", "site.key"]
    for name in os.listdir(folder):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_two_sites_have_two_keys(tmp_path):
    assert keys.site_key(tmp_path / "a") != keys.site_key(tmp_path / "b")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o601, 0o610])
def test_one_that_others_can_reach_is_refused(tmp_path, mode):
    keys.site_key(tmp_path)
    (tmp_path / "site.key").chmod(mode)
    with pytest.raises(SecretError, match=f"site.key: others may read it .mode {mode:o}.; chmod"):
        keys.site_key(tmp_path)


@pytest.mark.parametrize("size", [0, 31, 33, 5000])
def test_a_key_of_the_wrong_size_is_refused_and_left_alone(tmp_path, size):
    path = tmp_path / "site.key"
    path.write_bytes(bytes(size))
    path.chmod(0o600)
    with pytest.raises(SecretError, match=r"site.key: \d+ bytes, a site key has 32"):
        keys.site_key(tmp_path)
    assert path.stat().st_size == size


@pytest.mark.parametrize("text", [b"", b"ab" * 31, b"zz" * 32, b"\xff" * 64])
def test_a_token_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "api.token"
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises(SecretError, match="64 hex digits"):
        keys.api_token(tmp_path)


def test_a_password_is_one_line(tmp_path):
    path = tmp_path / "pw"
    path.touch(0o600)
    for text, right in {"s e\n": "s e", "x": "x", "": None, "\n": None, "a\nb": None}.items():
        path.write_text(text)
        if right:
            assert keys.password(path) == right
        else:
            with pytest.raises(SecretError, match="one line"):
                keys.password(path)
    with pytest.raises(SecretError, match="none: No such file"):
        keys.password(tmp_path / "none")
