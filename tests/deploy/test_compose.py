"""The compose files against the specification of Compose, the code, and each other. No image is pulled or built."""

import json
import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from jsonschema import Draft201909Validator

from command_gateway.app import check_loopback
from curcdr_projector.session import MODE
from legbook.cli import app as cli
from legbook.contracts.topics import TOPICS
from legbook.migrations.databases import Mysql
from legbook.runtime import fleet
from legbook.runtime.settings import KafkaSettings
from tests.deploy import files
from tests.deploy.settings import SERVICES, read, variables

SCHEMA: Final = json.loads((files.ROOT / "tests/fixtures/compose-spec/compose-spec.json").read_text())
SERVERS: Final = ("kafka", "mysql", "clickhouse")
FLEET_TOML: Final = "/etc/legbook/fleet.toml"


@pytest.fixture(params=files.STACKS)
def stack(request: pytest.FixtureRequest) -> Any:
    return files.compose(request.param)


@pytest.fixture
def services(stack: Any) -> Any:
    return stack["services"]


@pytest.fixture
def demo() -> Any:
    return files.compose("demo")["services"]


def environment(service: Any) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def service_of(image: str) -> str:
    return image.removeprefix("legbook/").partition(":")[0]


def test_it_is_what_compose_takes(stack: Any) -> None:
    assert [error.message for error in Draft201909Validator(SCHEMA).iter_errors(stack)] == []


def test_what_compose_does_not_take_is_found(stack: Any) -> None:
    stack["services"]["kafka"]["read-only"] = True

    assert list(Draft201909Validator(SCHEMA).iter_errors(stack)) != []


def test_the_servers_and_the_four_services_are_there(services: Any) -> None:
    assert {*SERVERS, *SERVICES, "prepare"} <= set(services)


def test_every_container_can_do_little(services: Any) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        assert "cap_add" not in service, name


def test_every_image_has_a_version(services: Any) -> None:
    for service in services.values():
        assert re.fullmatch(r"[a-z/_-]+:v?\d+(\.\d+)+", service["image"])


def test_nothing_is_published_beyond_this_machine(services: Any) -> None:
    for name, service in services.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name
        if service.get("network_mode") == "host":
            assert "ports" not in service, name
            assert "networks" not in service, name


def test_nothing_of_ours_on_the_network_of_the_machine_listens_beyond_loopback(services: Any) -> None:
    for name, service in files.ours(services).items():
        if name in SERVICES and service.get("network_mode") == "host":
            assert service["environment"][f"{name.upper()}_HTTP_HOST"] == "127.0.0.1"


def test_published_ports_are_the_same_on_both_sides_and_used_once(services: Any) -> None:
    ports = [port.split(":")[1:] for service in services.values() for port in service.get("ports", [])]
    assert all(outside == inside for outside, inside in ports)
    assert len({outside for outside, _ in ports}) == len(ports)


def test_a_service_is_published_where_its_image_listens(services: Any) -> None:
    image = files.image_environment()
    for name in SERVICES:
        ports = services[name].get("ports", [])
        number = image[f"{name.upper()}_HTTP_PORT"]
        assert ports == ([] if "network_mode" in services[name] else [f"127.0.0.1:{number}:{number}"])


def test_every_variable_is_a_setting_or_a_secret_of_the_fleet(services: Any) -> None:
    for service in files.ours(services).values():
        known = variables(service_of(service["image"])) | {"FAKEPBX_USERNAME", "FAKEPBX_SECRET"}
        assert set(environment(service)) <= known


def test_every_value_is_read(services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SERVICES:
        given = environment(services[name])
        found = read(monkeypatch, name, given)
        for variable in given.keys() & found.keys():
            value = found[variable]
            text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
            assert text == given[variable]


def test_hosts_and_password_files_are_there(services: Any) -> None:
    for service in files.ours(services).values():
        inside = [f"/run/secrets/{name}" for name in service.get("secrets", [])]
        for variable, value in environment(service).items():
            if variable.endswith("_URL"):
                assert re.search(r"@(\w+):", value)[1] in services  # type: ignore[index]
            if variable.endswith("_FILE"):
                assert value in inside


def test_every_secret_is_used_and_defined(stack: Any) -> None:
    used = {name for service in stack["services"].values() for name in service.get("secrets", [])}
    defined = set(stack["secrets"])
    assert used <= defined
    for secret in stack["secrets"].values():
        place = files.COMPOSE / secret["file"]
        assert place.parent.name == "private" or place.is_file()


def test_private_files_are_kept_out_of_git() -> None:
    assert "/private/" in (files.COMPOSE / ".gitignore").read_text().splitlines()


def test_what_is_mounted_is_there(stack: Any) -> None:
    for service in stack["services"].values():
        for source, _ in map(files.mount, service.get("volumes", [])):
            if source.startswith("."):
                assert (files.COMPOSE / source).exists()
            elif not source.startswith("${LEGBOOK_ETC:-./private/"):
                assert source in stack["volumes"]


def test_who_needs_the_fleet_has_it_where_the_image_looks(services: Any) -> None:
    assert files.image_environment()["LEGBOOK_FLEET"] == FLEET_TOML
    for name in SERVICES:
        targets = [files.mount(volume)[1] for volume in services[name].get("volumes", [])]
        assert (str(Path(FLEET_TOML).parent) in targets) == (name != "cdr_archiver")


def test_services_wait_for_topics_and_tables_and_these_for_the_servers(services: Any) -> None:
    for name in SERVICES:
        assert services[name]["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}
    for name in SERVERS:
        assert services["prepare"]["depends_on"][name] == {"condition": "service_healthy"}
        assert "test" in services[name]["healthcheck"]
    assert services["prepare"]["restart"] == "no"


def test_command_gateway_may_take_commands_from_this_kafka(
    services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = environment(services["command_gateway"])["KAFKA_BOOTSTRAP_SERVERS"]
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", address)
    check_loopback(KafkaSettings())
    assert services["command_gateway"]["network_mode"] == "host"
    assert f"LOOPBACK://{address}" in services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(
        ","
    )
    assert services["kafka"]["ports"] == [f"{address}:{address.rpartition(':')[2]}"]


def test_kafka_is_reached_inside_by_the_name_it_gives(services: Any) -> None:
    advertised = services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    inside = environment(services["prepare"])["KAFKA_BOOTSTRAP_SERVERS"]
    assert f"INSIDE://{inside}" in advertised
    for name in SERVICES:
        if "network_mode" not in services[name]:
            assert environment(services[name])["KAFKA_BOOTSTRAP_SERVERS"] == inside


def test_kafka_is_the_version_of_the_tests_and_takes_the_largest_record(services: Any) -> None:
    pom = (files.ROOT / "src/legbook/devstack/pom.xml").read_text()
    version = re.search(r"<kafka.version>(.*)</kafka.version>", pom)
    assert version is not None
    assert services["kafka"]["image"] == f"apache/kafka:{version[1]}"
    largest = max(int(topic.config.get("max.message.bytes", 0)) for topic in TOPICS)
    assert int(environment(services["kafka"])["KAFKA_MESSAGE_MAX_BYTES"]) >= largest


def test_mysql_has_the_mode_and_the_room_that_the_code_wants(services: Any) -> None:
    options = dict(option.lstrip("-").partition("=")[::2] for option in services["mysql"]["command"])
    assert options["sql-mode"] == MODE
    assert f"max_heap_table_size = {options['max-heap-table-size']}" in (Mysql.session or "")


def test_commands_are_those_that_legbook_has(demo: Any) -> None:
    told = demo["prepare"]["entrypoint"][-1].split("; ")
    told += [
        shlex.join([*demo[name]["entrypoint"], *demo[name]["command"]]) for name in ("pbx_hq", "pbx_branch")
    ]
    group: Any = typer.main.get_command(cli)
    for line in told:
        name, *arguments = shlex.split(line)
        assert name == "legbook"
        command = group
        while hasattr(command, "commands"):
            command = command.commands[arguments.pop(0)]
        command.make_context(command.name, arguments)


def test_the_demo_has_its_pbxs_where_its_fleet_says(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pbxs = fleet.load(files.COMPOSE / "demo/fleet.toml")
    for name, pbx in pbxs.items():
        played = demo[f"pbx_{name}"]
        assert {f"--name={name}", f"--port={pbx.port}"} <= set(played["command"])
        for login, service in ((fleet.ingest_login, "ami_ingest"), (fleet.gateway_login, "command_gateway")):
            monkeypatch.setenv("FAKEPBX_SECRET", environment(demo[service])["FAKEPBX_SECRET"])
            assert login(name, pbx) == ("legbook", environment(played)["FAKEPBX_SECRET"])
            assert demo[service]["network_mode"] == "host"


def test_the_demo_plays_recordings_that_are_there(demo: Any) -> None:
    for name in ("pbx_hq", "pbx_branch"):
        ((source, target),) = map(files.mount, demo[name]["volumes"])
        recordings = [each for each in demo[name]["command"] if not each.startswith("--")]
        assert recordings != []
        for recording in recordings:
            assert (files.COMPOSE / source / Path(recording).relative_to(target)).is_file()


def test_the_demo_shares_no_data_with_a_deployment() -> None:
    assert files.compose("demo")["name"] != files.compose("base")["name"]
