//! Where a test plays: a folder, a database, the program's commands, and the service when it runs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection};

/// The plan's round.
pub(crate) const ROUND: &str = "quang-nam-2023";

/// A folder and an empty database; both go away with it.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    /// `sqlite` or `postgres`, for messages.
    pub(crate) backend: &'static str,
    /// For `PHIEU_DATABASE_URL`.
    pub(crate) database_url: String,
    schema: Option<(String, String)>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some((server, schema)) = &self.schema
            && let Ok(mut conn) = PgConnection::establish(server)
        {
            let _ = conn.batch_execute(&format!("DROP SCHEMA {schema} CASCADE"));
        }
    }
}

/// One stage per database at hand: SQLite always, PostgreSQL when `PHIEU_TEST_POSTGRES` names a server.
pub(crate) fn stages() -> Vec<Stage> {
    let mut all = vec![Stage::sqlite()];
    match std::env::var("PHIEU_TEST_POSTGRES") {
        Ok(server) => all.push(Stage::postgres(&server)),
        Err(_) => eprintln!("PHIEU_TEST_POSTGRES is not set: SQLite only"),
    }
    all
}

/// Plays on every stage at the same time.
pub(crate) fn on_each(play: impl Fn(&Stage) + Sync) {
    let stages = stages();
    std::thread::scope(|scope| {
        for stage in &stages {
            scope.spawn(|| play(stage));
        }
    });
}

impl Stage {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database_url = format!("sqlite://{}", folder.path().join("phieu.db").display());
        Self { folder, backend: "sqlite", database_url, schema: None }
    }

    fn postgres(server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().file_name().unwrap().to_string_lossy().to_lowercase();
        let schema = format!("bb_{}_{}", std::process::id(), name.trim_start_matches('.'));
        PgConnection::establish(server).unwrap().batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
        let joint = if server.contains('?') { '&' } else { '?' };
        let database_url = format!("{server}{joint}options=-csearch_path%3D{schema}");
        Self { folder, backend: "postgres", database_url, schema: Some((server.to_owned(), schema)) }
    }

    /// A path in the stage's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with this stage's database, in this stage's folder, and nothing of the caller's settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        command.current_dir(self.folder.path()).env("PHIEU_DATABASE_URL", &self.database_url);
        command
    }

    /// Runs a command that must succeed; gives back what it printed.
    pub(crate) fn phieu(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{} phieu {arguments:?}: {}", self.backend, both(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must fail with exit code 1; gives back all that it said.
    pub(crate) fn phieu_fails(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{} phieu {arguments:?}: {}", self.backend, both(&output));
        both(&output)
    }

    /// Runs a command with something on its standard input.
    pub(crate) fn phieu_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// One number from the database itself.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let sql = diesel::sql_query(format!("SELECT count(*) AS n FROM {sql}"));
        let row: Row = if let Some(path) = self.database_url.strip_prefix("sqlite://") {
            let mut conn = SqliteConnection::establish(path).unwrap();
            conn.batch_execute("PRAGMA busy_timeout = 15000").unwrap();
            sql.get_result(&mut conn).unwrap()
        } else {
            sql.get_result(&mut PgConnection::establish(&self.database_url).unwrap()).unwrap()
        };
        row.n
    }

    /// Every table of the schema (PostgreSQL).
    pub(crate) fn tables(&self) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            name: String,
        }
        let mut conn = PgConnection::establish(&self.database_url).unwrap();
        let sql = "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables \
                   WHERE table_schema = current_schema()";
        let rows: Vec<Row> = diesel::sql_query(sql).load(&mut conn).unwrap();
        rows.into_iter().map(|row| row.name).collect()
    }

    /// Every byte of a table's rows (PostgreSQL).
    pub(crate) fn dump(&self, table: &str) -> Vec<u8> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            line: String,
        }
        let mut conn = PgConnection::establish(&self.database_url).unwrap();
        let rows: Vec<Row> =
            diesel::sql_query(format!("SELECT t::text AS line FROM {table} t")).load(&mut conn).unwrap();
        let mut bytes = Vec::new();
        for row in rows {
            // A row's text doubles the quotes of its values.
            bytes.extend_from_slice(row.line.replace("\"\"", "\"").as_bytes());
            // Binary columns are written as \\x and hexadecimal digits.
            for hex in row.line.split("\\x").skip(1) {
                let hex: String = hex.chars().take_while(char::is_ascii_hexdigit).collect();
                bytes.extend(data_encoding::HEXLOWER.decode(&hex.as_bytes()[..hex.len() / 2 * 2]).unwrap());
            }
        }
        bytes
    }

    /// Starts the service on a free port and waits until it says that it is ready.
    pub(crate) fn serve(&self) -> Service {
        self.serve_with(&[])
    }

    /// [`Stage::serve`] with further settings.
    pub(crate) fn serve_with(&self, settings: &[(&str, &str)]) -> Service {
        let mut command = self.command(&["serve"]);
        command.env("PHIEU_LISTEN", "127.0.0.1:0").env("PHIEU_LOG_FORMAT", "json").env("PHIEU_WORKERS", "2");
        Service::start(command.envs(settings.iter().copied()))
    }

    /// [`Stage::serve`] where core files are written, if the system writes them into the folder of who dies.
    pub(crate) fn serve_with_core_files(&self) -> Service {
        let mut command = self.command(&["serve"]);
        command.env("PHIEU_LISTEN", "127.0.0.1:0").env("PHIEU_LOG_FORMAT", "json").env("PHIEU_WORKERS", "2");
        Service::start(&mut dumping(self, &command))
    }

    /// Core files in the folder.
    pub(crate) fn core_files(&self) -> Vec<PathBuf> {
        let all = std::fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().path());
        all.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("core"))).collect()
    }

    /// Whether another program that dies here leaves a core file; it is taken away again.
    pub(crate) fn has_core_files(&self) -> bool {
        let mut dies = Command::new("sh");
        let _ = dumping(self, dies.args(["-c", "kill -s ABRT $$"])).output();
        let left = self.core_files();
        left.iter().for_each(|file| std::fs::remove_file(file).unwrap());
        !left.is_empty()
    }
}

/// A process that may leave a core file in the stage's folder when it dies.
fn dumping(stage: &Stage, program: &Command) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -c unlimited && exec \"$0\" \"$@\""])
        .arg(program.get_program())
        .args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(stage.folder.path()).stdin(Stdio::null());
    command
}

/// The program without any settings of the caller.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_phieu"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PHIEU_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).env("RUST_BACKTRACE", "0").stdin(Stdio::null());
    command
}

/// Runs a command that is to end by itself: one that goes on to serve is stopped, and the test fails.
pub(crate) fn ends(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("it did not end: {}", both(&child.wait_with_output().unwrap()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// The Python that has this package: Debian's packages serve Debian's Python, which may not be the first on the path.
pub(crate) fn python_with(package: &str) -> Command {
    let has_it = |python: &&str| {
        let import = Command::new(python).args(["-c", &format!("import {package}")]).status();
        import.is_ok_and(|status| status.success())
    };
    Command::new(["python3", "/usr/bin/python3"].into_iter().find(has_it).unwrap_or("python3"))
}

/// All that a command printed.
pub(crate) fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A running service; killed when dropped.
pub(crate) struct Service {
    child: Child,
    /// Where it answers, without a slash at the end.
    pub(crate) base: String,
    /// From the start of the process to its word that it is ready.
    pub(crate) ready_after: Duration,
    printed: Arc<Mutex<Vec<u8>>>,
}

impl Service {
    fn start(command: &mut Command) -> Self {
        let started = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let printed = Arc::new(Mutex::new(Vec::new()));
        let port = listen(&mut child, &printed);
        let port = port.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("the service did not start: {}", String::from_utf8_lossy(&printed.lock().unwrap()))
        });
        Self { child, base: format!("http://127.0.0.1:{port}"), ready_after: started.elapsed(), printed }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// SIGKILL, then waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGABRT, as at a fault of its own, then waits until it is gone.
    pub(crate) fn abort(mut self) {
        self.signal("ABRT");
        self.child.wait().unwrap();
    }

    /// SIGTERM, then waits until it has ended by itself; gives back all that it printed, on both streams.
    pub(crate) fn stop(mut self) -> Vec<u8> {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the service ended with {status}");
        self.printed.lock().unwrap().clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps what the service prints, and finds the port in its line `ready`.
fn listen(child: &mut Child, printed: &Arc<Mutex<Vec<u8>>>) -> Receiver<u16> {
    let (found, port) = channel();
    let (mut out, mut err) = (child.stdout.take().unwrap(), BufReader::new(child.stderr.take().unwrap()));
    let kept = Arc::clone(printed);
    std::thread::spawn(move || {
        let mut chunk = [0_u8; 4096];
        while let Ok(n @ 1..) = out.read(&mut chunk) {
            kept.lock().unwrap().extend_from_slice(&chunk[..n]);
        }
    });
    let kept = Arc::clone(printed);
    std::thread::spawn(move || {
        let mut line = Vec::new();
        while let Ok(1..) = err.read_until(b'\n', &mut line) {
            kept.lock().unwrap().extend_from_slice(&line);
            let json: Option<serde_json::Value> = serde_json::from_slice(&line).ok();
            let fields = json.as_ref().and_then(|j| j.get("fields"));
            if let Some(fields) = fields.filter(|f| f["message"] == "ready")
                && let Some(port) = fields["port"].as_u64()
            {
                let _ = found.send(u16::try_from(port).unwrap());
            }
            line.clear();
        }
    });
    port
}

/// A copy of the plan's round with its dates around `now`: open since yesterday, publication in ten days.
pub(crate) fn round_folder(into: &Path, opens: TimeDelta, closes: TimeDelta) -> PathBuf {
    folder_of(ROUND, into, opens, closes)
}

/// The same with another of the repository's rounds.
pub(crate) fn folder_of(round: &str, into: &Path, opens: TimeDelta, closes: TimeDelta) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../survey-forms/rounds").join(round);
    copy(&from, into);
    let now: DateTime<Utc> = std::time::SystemTime::now().into();
    let dates = [
        ("opens", opens),
        ("closes", closes),
        ("keying_closes", closes + TimeDelta::days(5)),
        ("publishes", closes + TimeDelta::days(10)),
    ];
    edit(&into.join("round.toml"), |text| {
        let dated = |line: &str| {
            let found = dates.iter().find(|(name, _)| line.starts_with(&format!("{name} = ")));
            found.map(|(name, after)| format!("{name} = {}", (now + *after).format("%Y-%m-%dT%H:%M:%S+00:00")))
        };
        text.lines().map(|line| dated(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
    });
    into.to_owned()
}

/// A round that is open now.
pub(crate) fn open_round_folder(into: &Path) -> PathBuf {
    round_folder(into, TimeDelta::days(-1), TimeDelta::days(5))
}

/// Rewrites a file.
pub(crate) fn edit(path: &Path, change: impl FnOnce(&str) -> String) {
    let text = std::fs::read_to_string(path).unwrap();
    let changed = change(&text);
    assert_ne!(text, changed, "{} was not changed", path.display());
    std::fs::write(path, changed).unwrap();
}

fn copy(from: &Path, into: &Path) {
    std::fs::create_dir_all(into).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = into.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
