"""A page with the calls of one phone, from curcdr: screen_pop.py PORT, then /?pbx=hq&phone=pjsip/201."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pymysql
from pymysql.cursors import DictCursor

MYSQL = urlsplit(os.environ.get("MYSQL_URL", "mysql://legbook:legbook@127.0.0.1:3306/legbook"))
CALLS = """SELECT id, src, srcname, didnumber, queue, disposition FROM curcdr
    WHERE pbx = %s AND dstchan LIKE %s ORDER BY id"""
PAGE = """<!doctype html><meta charset="utf-8"><title>Calls</title><ul></ul><script>
setInterval(async () => {
  const calls = await (await fetch("/calls" + location.search)).json()
  document.querySelector("ul").replaceChildren(...calls.map(call => {
    const line = document.createElement("li")
    line.textContent = `${call.disposition} ${call.src} ${call.srcname} for ${call.didnumber}`
    return line
  }))
}, 1000)
</script>"""


def calls(pbx: str, phone: str) -> list[dict[str, Any]]:
    channel = phone.lower().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    with (
        pymysql.connect(
            host=MYSQL.hostname or "",
            port=MYSQL.port or 3306,
            user=unquote(MYSQL.username or ""),
            password=unquote(MYSQL.password or ""),
            database=MYSQL.path.strip("/"),
            cursorclass=DictCursor,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(CALLS, (pbx, f"{channel}-%"))  # parameters, never a string of our own making
        return list(cursor.fetchall())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/calls" and {"pbx", "phone"} <= asked.keys():
            self.answer("application/json", json.dumps(calls(asked["pbx"], asked["phone"])))
        elif url.path == "/":
            self.answer("text/html", PAGE)
        else:
            self.send_error(404)

    def answer(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
