"""Hang up a live leg: hangup.py PBX LEG_ID. Exit code 0: it is done."""

import asyncio
import sys

from legbook.client import Client, NoResultError


async def main(pbx: str, leg_id: int) -> int:
    async with Client(issuer="crm") as client:  # one for all commands; KAFKA_… says where Kafka is
        try:
            result = await client.hangup(pbx, leg_id, side="dst", actor="alice", patience=5.0)
        except NoResultError as error:  # it may have had its effect, or may yet
            print(error)
            return 1
    print(result.state, result.reason or "", result.message)
    return 0 if result.state == "done" else 1


sys.exit(asyncio.run(main(sys.argv[1], int(sys.argv[2]))))
