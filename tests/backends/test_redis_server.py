import pytest

from .redis_server import RedisServer


def test_the_server_of_the_session_answers_and_is_empty(redis_server: RedisServer) -> None:
    assert redis_server.command("PING") == b"+PONG"
    assert redis_server.command("DBSIZE") == b":0"


def test_it_answers_on_the_same_address_after_a_restart_and_has_forgotten_everything(
    faulty_redis: RedisServer,
) -> None:
    address = faulty_redis.url
    faulty_redis.command("SET", "key", "value")
    faulty_redis.restart()
    assert faulty_redis.url == address
    assert faulty_redis.command("GET", "key") == b"$-1"


def test_a_killed_server_refuses_connections_until_it_is_started(faulty_redis: RedisServer) -> None:
    faulty_redis.kill()
    with pytest.raises(OSError):
        faulty_redis.command("PING")
    faulty_redis.start()
    assert faulty_redis.command("PING") == b"+PONG"


def test_a_paused_server_answers_only_when_it_is_resumed(faulty_redis: RedisServer) -> None:
    faulty_redis.pause()
    with pytest.raises(TimeoutError):
        faulty_redis.command("PING", timeout=0.05)
    faulty_redis.resume()
    assert faulty_redis.command("PING") == b"+PONG"


def test_a_durable_server_remembers_what_it_has_answered(durable_redis: RedisServer) -> None:
    durable_redis.command("SET", "key", "value")
    durable_redis.kill()
    durable_redis.start()
    assert durable_redis.command("GET", "key") == b"$5"
