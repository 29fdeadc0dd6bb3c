#!/usr/bin/env python3
"""Letters over a real SMTP conversation: STARTTLS, AUTH, refusals, a server that is slow, down and back, and the service
killed (kill -9) on the way.

    tests/letters.py BINARY [N [KILLS]]

Sends N letters (300) through a server of its own and kills `phieu serve` KILLS (2) times. Prints the rate, letters lost,
people with more than one letter, and the codes that live; exit 1 when one is lost, somebody holds two codes that live, or
somebody's last letter holds a dead one. PHIEU_TEST_POSTGRES names a server: then the same on PostgreSQL.
"""

import asyncio, base64, email, email.policy, json, os, re, shutil, signal, socket, sqlite3, ssl, subprocess, sys, tempfile
import threading, time, urllib.error, urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUND = "quang-nam-2023"
CODE = re.compile(r"\b(?:[0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}\b")
USER, PASSWORD = "khaosat", "m\u1eadt kh\u1ea9u"


class Server:
    """An SMTP server with STARTTLS and AUTH PLAIN; what it does with a recipient stands in the address."""

    def __init__(self, folder):
        self.folder, self.letters, self.faults, self.seen, self.port = folder, {}, [], {}, 0
        self.lock, self.server, self.slow, self.mood = threading.Lock(), None, 0.0, None
        key, cert = folder / "smtp.key", folder / "smtp.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"],
                       check=True, capture_output=True)
        self.cert = cert
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(cert, key)
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def up(self):
        async def start():
            self.server = await asyncio.start_server(self.talk, "127.0.0.1", self.port, limit=1 << 20)
            self.port = self.server.sockets[0].getsockname()[1]
        asyncio.run_coroutine_threadsafe(start(), self.loop).result()

    def down(self):
        asyncio.run_coroutine_threadsafe(self._down(), self.loop).result()

    async def _down(self):
        self.server.close()

    async def talk(self, reader, writer):
        secure = authed = False
        to = None
        async def say(*lines):
            for n, line in enumerate(lines):
                writer.write(f"{line[:3]}{'-' if n + 1 < len(lines) else ' '}{line[4:]}\r\n".encode())
            await writer.drain()
        try:
            if self.mood == "mute":
                await asyncio.sleep(30)
            if self.mood == "refusing":
                await say("554 5.3.2 not today")
                return
            await say("220 localhost ESMTP")
            while line := await reader.readline():
                words = line.decode(errors="replace").strip()
                verb = words.split(" ")[0].upper()
                if verb == "EHLO":
                    await say("250 localhost", "250 8BITMIME", *(["250 AUTH PLAIN LOGIN"] if secure else ["250 STARTTLS"]))
                elif verb == "STARTTLS":
                    await say("220 go")
                    await writer.start_tls(self.tls)
                    secure = True
                elif verb == "AUTH":
                    given = base64.b64decode(words.split(" ")[2]).decode().split("\0")[1:]
                    authed = secure and given == [USER, PASSWORD]
                    await say("235 ok" if authed else "535 5.7.8 no")
                elif verb == "MAIL":
                    await say("530 5.7.0 authenticate first" if not authed else
                              "553 5.7.1 not you" if self.mood == "another sender" else "250 ok")
                elif verb == "RCPT" and self.mood == "hanging up":
                    return
                elif verb == "RCPT" and self.mood == "too many":
                    await say("421 4.7.0 too many letters")
                    return
                elif verb == "RCPT":
                    to = re.search(r"<(.*)>", words).group(1)
                    await say(self.judge(to))
                elif verb == "DATA":
                    await say("354 go on")
                    body = b""
                    while (part := await reader.readline()) not in (b".\r\n", b""):
                        body += part[1:] if part.startswith(b".") else part
                    if not part:  # cut off in the middle: not a letter
                        return
                    if self.slow:
                        await asyncio.sleep(self.slow)
                    if to.startswith("data5"):
                        await say("554 5.6.0 not this one")
                        continue
                    self.keep(to, body)
                    await say("250 queued")
                elif verb == "QUIT":
                    await say("221 bye")
                    break
                else:
                    await say("250 ok")
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, IndexError):
            pass
        finally:
            writer.close()

    def judge(self, to):
        with self.lock:
            count = self.seen[to] = self.seen.get(to, 0) + 1
        if to.startswith("refuse"):
            return f"550 5.1.1 <{to}>: no such user"
        if to.startswith("later") and count == 1:
            return "451 4.7.1 come back later"
        return "250 ok"

    def keep(self, to, body):
        message = email.message_from_bytes(body, policy=email.policy.default)
        plain = message.get_body(("plain",)).get_content()
        html = message.get_body(("html",)).get_content()
        codes = set(CODE.findall(plain))
        if len(codes) != 1 or codes != set(CODE.findall(html)) or f"/p#{next(iter(codes))}" not in plain:
            self.faults.append(f"a letter without its one code: {plain[:300]}")
        if CODE.search(str(message["subject"])):
            self.faults.append("a code in a subject")
        with self.lock:
            self.letters.setdefault(to, []).append((next(iter(codes), ""), time.monotonic()))

    def count(self):
        with self.lock:
            return sum(len(all) for all in self.letters.values())


class Place:
    def __init__(self, binary, folder, server, database):
        self.binary, self.folder, self.server = binary, folder, server
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("PHIEU_")}
        self.env |= {
            "PHIEU_DATABASE_URL": database, "PHIEU_MAIL_URL": f"smtp+starttls://localhost:{server.port}",
            "PHIEU_MAIL_FROM": "Khảo sát CCHC <khaosat@example.gov.vn>", "PHIEU_MAIL_USER": USER,
            "PHIEU_MAIL_PASSWORD": PASSWORD, "PHIEU_MAIL_CA_FILE": str(server.cert), "PHIEU_MAIL_PER_SECOND": "0",
            "PHIEU_MAIL_DOMAIN_PAUSE_MS": "0", "PHIEU_MAIL_LEASE_SECONDS": "5", "PHIEU_MAIL_TIMEOUT_SECONDS": "3",
            "PHIEU_MAIL_RETRY_SECONDS": "8",
            "PHIEU_LISTEN": "127.0.0.1:0", "PHIEU_LOG_FORMAT": "json", "PHIEU_LOG": "debug,hyper=off"}
        self.service, self.base, self.said, self.logged = None, "", b"", b""

    def run(self, *words, fails=False, more=None):
        done = subprocess.run([self.binary, *words], cwd=self.folder, env=self.env | (more or {}), capture_output=True)
        said = (done.stdout + done.stderr).decode()
        self.said += said.encode()
        assert (done.returncode != 0) == fails, f"phieu {words}: {said}"
        return said

    def prepare(self, people):
        shutil.copytree(ROOT / "survey-forms/rounds" / ROUND, self.folder / "round")
        path = self.folder / "round/round.toml"
        text, now = path.read_text(), datetime.now(timezone.utc)
        for name, days in (("opens", -1), ("closes", 5), ("keying_closes", 6), ("publishes", 9)):
            text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {(now + timedelta(days=days)).isoformat(timespec='seconds')}", text)
        before, after = text.split('code = "CC-ND"')
        text = before + 'code = "CC-ND"' + after.replace('issue = "draw"', 'issue = "addressed"', 1)
        text += '\n[letters]\ndays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]\nfrom = "00:00"\nuntil = "24:00"\n'
        path.write_text(text)
        rows = "".join(f"Người thứ {n},Cục Thuế tỉnh,{address}\n" for n, address in enumerate(people))
        (self.folder / "people.csv").write_text("Họ và tên,Đơn vị,Thư điện tử\n" + rows)
        for words in (["migrate"], ["round", "load", "round"], ["box", "keygen", ROUND, "--out", "box.key"],
                      ["roster", "import", ROUND, "people.csv", "--group", "CC-ND"], ["round", "open", ROUND]):
            self.run(*words)

    def serve(self):
        self.service = subprocess.Popen([self.binary, "serve"], cwd=self.folder, env=self.env, stderr=subprocess.PIPE)
        ready = threading.Event()
        def read(pipe):
            for line in pipe:
                self.said += line
                self.logged += line
                if b'"ready"' in line:
                    self.base = f"http://127.0.0.1:{json.loads(line)['fields']['port']}"
                    ready.set()
        threading.Thread(target=read, args=(self.service.stderr,), daemon=True).start()
        assert ready.wait(60), self.said[-2000:]

    def kill(self):
        self.service.send_signal(signal.SIGKILL)
        self.service.wait()

    def stop(self):
        self.service.terminate()
        assert self.service.wait(30) == 0

    def codes(self):
        """Codes by state, from the SQLite file."""
        with sqlite3.connect(self.folder / "phieu.db") as db:
            return dict(db.execute("SELECT state, count(*) FROM credential GROUP BY state"))

    def wake(self):
        """Letters that were put back for a minute may go at once."""
        with sqlite3.connect(self.folder / "phieu.db") as db:
            db.execute("UPDATE letter SET due = 0 WHERE state = 'waiting' AND template = 'invitation'")

    def lives(self, code):
        body = json.dumps({"code": code}).encode()
        request = urllib.request.Request(f"{self.base}/api/v1/ballots/form", body, {"content-type": "application/json"})
        try:
            return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).status == 200
        except urllib.error.HTTPError as error:
            assert error.code == 410, error.code
            return False


def until(what, seconds, test):
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.1)


def bulk(place, server, number, kills):
    people = [f"nguoi{n}@example{n % 7}.gov.vn" for n in range(number)]
    place.prepare(people)
    assert f"would plan {number} invitations" in place.run("letters", "plan", ROUND, "--dry-run")
    place.run("letters", "plan", ROUND)
    assert "planned 0 invitations" in place.run("letters", "plan", ROUND)
    place.serve()
    started = time.monotonic()
    for nth in range(kills):
        wanted = number * (nth + 1) // (kills + 1)
        until(f"{wanted} letters", 120 + number / 20, lambda: server.count() >= wanted)
        place.kill()
        place.serve()
    until("everybody has a letter", 120 + number / 20, lambda: len(server.letters) >= number)
    last = max(at for all in server.letters.values() for _, at in all)
    rate = server.count() / (last - started)
    until("the outbox says so", 60, lambda: f"invitation sent {number}" in place.run("letters", "status", ROUND))
    lost = [one for one in people if one not in server.letters]
    several = {one: all for one, all in server.letters.items() if len(all) > 1}
    two_living = dead_last = living = 0
    sample = people if number <= 2000 else people[:: number // 2000]
    for one in set(sample) | set(several):
        states = [place.lives(code) for code, _ in server.letters[one]]
        living += sum(states)
        two_living += sum(states) > 1
        dead_last += not states[-1]
    print(f"letters {server.count()} to {number} people, killed {kills} times: {rate:.0f}/s, lost {len(lost)}, "
          f"more than one letter {len(several)}, with two codes that live {two_living}, last letter dead {dead_last}, "
          f"codes tried {living} of {len(set(sample) | set(several))} people")
    assert not lost and not two_living and not dead_last and not server.faults, server.faults[:3]


def cases(place, server):
    people = ["refuse1@x.vn", "later1@x.vn", "data5@x.vn", "tot1@x.vn", "tot2@x.vn"]
    place.prepare(people)
    # A server that is down: no code is made, nothing is lost, and the command says why.
    server.down()
    place.run("letters", "plan", ROUND)
    said = place.run("letters", "send", ROUND, fails=True)
    assert "connect: no connection" in said and "5 letters wait" in said, said
    server.up()
    # Another password: not a refusal of anybody.
    said = place.run("letters", "send", ROUND, fails=True, more={"PHIEU_MAIL_PASSWORD": "another"})
    assert "auth: 535 5.7.8" in said and "invitation waiting 5" in said, said
    # No TLS, or a certificate that nobody signed: nothing is sent.
    place.run("letters", "test", ROUND, "a@x.vn", fails=True, more={"PHIEU_MAIL_URL": f"smtps://localhost:{server.port}"})
    place.env.pop("PHIEU_MAIL_CA_FILE")
    place.run("letters", "test", ROUND, "a@x.vn", fails=True)
    place.env["PHIEU_MAIL_CA_FILE"] = str(server.cert)
    assert not server.letters
    said = place.run("letters", "send", ROUND)
    assert "sent 2, refused for good 2" in said and "invitation failed 2" in said, said
    assert sorted(server.letters) == ["tot1@x.vn", "tot2@x.vn"]
    failed = place.run("letters", "failed", ROUND)
    assert "refuse1@x.vn" in failed and "550 5.1.1" in failed and "554 5.6.0" in failed and "no such user" not in failed
    # Who was told to come back later is tried again, and gets the letter then.
    assert "invitation waiting 1" in place.run("letters", "status", ROUND)
    until("the second try of a letter that was refused for now", 60,
          lambda: place.run("letters", "send", ROUND) and "later1@x.vn" in server.letters)
    assert server.seen["later1@x.vn"] == 2 and len(server.letters["later1@x.vn"]) == 1
    assert "invitation sent 3" in place.run("letters", "status", ROUND)
    # A returned letter is noted; a test letter opens nothing.
    report = "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; TOT2@x.vn\nAction: failed\nStatus: 5.1.1\n"
    done = subprocess.run([place.binary, "letters", "bounced", ROUND, "--note"], cwd=place.folder, env=place.env,
                          input=report.encode(), capture_output=True)
    assert b"noted 1 addresses" in done.stdout, done
    assert "tot2@x.vn" in place.run("letters", "bounced", ROUND)
    place.run("letters", "test", ROUND, "thu@x.vn")
    # Slow beyond the timeout: perhaps it has arrived, so it is sent again later with another code.
    server.slow = 5
    said = place.run("letters", "send", ROUND, "--again")
    assert "sent 0, refused for good 1, put back 2" in said, said
    server.slow = 0
    place.run("letters", "pause", ROUND)
    place.serve()
    time.sleep(3)
    count = server.count()
    place.run("letters", "resume", ROUND)
    assert place.lives(server.letters["tot1@x.vn"][0][0]) and place.lives(server.letters["later1@x.vn"][0][0])
    # A reminder goes to who has not answered; the code before it dies.
    place.stop()
    assert "planned 0 invitations" in place.run("letters", "plan", ROUND, "--reminder")
    place.run("letters", "send", ROUND, "--any-hour")
    codes = [code for code, _ in server.letters["tot1@x.vn"]]
    place.serve()
    assert len(codes) == 2 and [place.lives(code) for code in codes] == [False, True], codes
    place.stop()
    # After the close nothing is left, and the log says so.
    assert count <= server.count()
    place.run("round", "close", ROUND)
    place.run("export", ROUND, "--what", "log", "--out", "log")
    assert "ties-destroyed" in place.run("verify", "--dir", "log")
    codes = [code for all in server.letters.values() for code, _ in all if code and not code.startswith("0000")]
    said, stored = place.said, b"".join(f.read_bytes() for f in place.folder.glob("phieu.db*"))
    for code in codes:
        for spelling in (code, code.replace("-", ""), code[:14]):
            assert spelling.encode() not in said and spelling.encode() not in stored, "a code was printed or stored"
    assert b"@x.vn" not in place.logged, "an address was logged"
    for trace in ("tot1@x.vn", "Người thứ 3"):
        assert trace.encode() not in stored, f"{trace} is still there after the close"
    print("SMTP cases: down, wrong password, wrong TLS, 4xx, 5xx, slow, returned, paused, reminder, close: as they should be")


def moods(place, server):
    """A server that is there and does not want to: nobody is refused for it, and no code outlives the try."""
    place.prepare(["tot1@x.vn", "tot2@x.vn"])
    place.run("letters", "plan", ROUND)
    place.env["PHIEU_MAIL_TIMEOUT_SECONDS"] = "1"
    for mood, why, made in (("refusing", "connect: 554 5.3.2", 0), ("mute", "connect: timed out", 0),
                            ("another sender", "mail from: 553 5.7.1", 2), ("hanging up", "rcpt to: no connection", 2),
                            ("too many", "rcpt to: 421 4.7.0", 2)):
        server.mood = mood
        place.run("letters", "test", ROUND, "a@x.vn", fails=True)
        said = place.run("letters", "send", ROUND, fails=True)
        assert why in said and "refused for good 0" in said, (mood, said)
        assert "invitation waiting 2" in place.run("letters", "status", ROUND), mood
        codes = place.codes()
        assert codes.get("issued", 0) == 0, (mood, codes)
        place.wake()
    server.mood = None
    assert not server.letters and place.codes().get("revoked", 0) == 6, place.codes()
    place.run("letters", "send", ROUND)
    assert sorted(server.letters) == ["tot1@x.vn", "tot2@x.vn"] and place.codes()["issued"] == 2
    print("SMTP moods: refusing, mute, another sender, hanging up, too many: letters wait, and no code lives")


def main():
    binary = str(Path(sys.argv[1]).resolve())
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    databases = ["sqlite"] + ([os.environ["PHIEU_TEST_POSTGRES"]] if os.environ.get("PHIEU_TEST_POSTGRES") else [])
    for database in databases:
        plays = [cases, lambda p, s: bulk(p, s, number, kills)] + ([moods] if database == "sqlite" else [])
        for play in plays:
            with tempfile.TemporaryDirectory(prefix="phieu-letters-") as folder:
                folder = Path(folder)
                server = Server(folder)
                server.up()
                url, schema = f"sqlite://{folder}/phieu.db", None
                if database != "sqlite":
                    schema = f"letters_{os.getpid()}_{folder.name[-8:].lower().replace('-', '_')}"
                    subprocess.run(["psql", "-q", database, "-c", f"CREATE SCHEMA {schema}"], check=True)
                    url = f"{database}{'&' if '?' in database else '?'}options=-csearch_path%3D{schema}"
                place = Place(binary, folder, server, url)
                try:
                    print(database.split(":")[0], end=": ", flush=True)
                    play(place, server)
                finally:
                    if place.service and place.service.poll() is None:
                        place.kill()
                    if schema:
                        subprocess.run(["psql", "-q", database, "-c", f"SET client_min_messages = warning; DROP SCHEMA {schema} CASCADE"])


if __name__ == "__main__":
    main()
