//! Custody by any two of three trustees, with the stock `age` beside the program; and acts that are killed on their way.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::actors::Actor;
use crate::field::{Dice, Field, answers, text};
use crate::stage::{ROUND, Stage, both, on_each};

/// A trustee's key, made with the stock program: identity file and public key.
fn trustee(stage: &Stage, name: &str) -> (PathBuf, String) {
    let path = stage.path(&format!("{name}.key"));
    let made = Command::new("age-keygen").args(["-o", text(&path)]).output().unwrap();
    assert!(made.status.success(), "{}", both(&made));
    let public = Command::new("age-keygen").args(["-y", text(&path)]).output().unwrap();
    (path, format!("{name}={}", String::from_utf8(public.stdout).unwrap().trim()))
}

#[test]
fn any_two_of_three_trustees_open_the_box_and_stock_age_opens_their_files() {
    on_each(|stage| {
        let mut field = Field::prepared(stage);
        let people = ["An", "Bình", "Chi"].map(|name| trustee(stage, name));
        let keys = stage.path("keys");
        let mut make = vec!["box", "keygen", ROUND, "--out", text(&keys)];
        make.extend(people.iter().flat_map(|(_, public)| ["--trustee", public.as_str()]));
        let said = stage.phieu_fails(&make);
        assert!(said.contains("can no longer be changed"), "a key that is there stays: {said}");
        assert!(stage.phieu_fails(&[&make[..9], &["--replace"]].concat()).contains("3 trustees, not 2"));
        make.push("--replace");
        let said = stage.phieu(&make);
        assert!(said.contains("any two of An, Bình, Chi open it"), "{said}");
        assert!(stage.phieu(&["round", "show", ROUND]).contains("box key held by any two of An, Bình, Chi"));
        let pair = |names: &str| keys.join(format!("{ROUND}.box.{names}.age"));
        assert_eq!(std::fs::read_dir(&keys).unwrap().count(), 3, "and no plain key");

        // The stock program, twice: first the outer trustee, then the inner one.
        let (file, plain) = (pair("An+Chi"), stage.path("plain.key"));
        let outer =
            Command::new("age").args(["-d", "-i", text(&people[2].0), text(&file)]).stdout(Stdio::piped()).spawn();
        let mut outer = outer.unwrap();
        let opened = Command::new("age")
            .args(["-d", "-i", text(&people[0].0)])
            .stdin(outer.stdout.take().unwrap())
            .output()
            .unwrap();
        assert!(outer.wait().unwrap().success());
        assert!(opened.status.success(), "{}", both(&opened));
        std::fs::write(&plain, opened.stdout).unwrap();

        let brought = |act: &'static str, file: &str, who: &[usize]| {
            let mut words = vec!["box".to_owned(), act.to_owned(), ROUND.to_owned()];
            words.extend(["--trustee-file".to_owned(), file.to_owned()]);
            for one in who {
                words.extend(["--identity".to_owned(), text(&people[*one].0).to_owned()]);
            }
            words
        };
        let fails = |words: Vec<String>| stage.phieu_fails(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let does = |words: Vec<String>| stage.phieu(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let said = stage.phieu_fails(&["round", "open", ROUND]);
        assert!(said.contains("have not rehearsed"), "{said}");
        let file = pair("Bình+Chi");
        let said = fails(brought("rehearse", text(&file), &[1]));
        assert!(said.contains("one trustee alone cannot open the box"), "{said}");
        let said = fails(brought("rehearse", text(&file), &[0, 2]));
        assert!(said.contains("only one of these identities"), "{said}");
        let said = fails(brought("rehearse", text(&file), &[0, 1]));
        assert!(said.contains("none of these identities"), "{said}");
        let mut bytes = std::fs::read(&file).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let damaged = stage.path("damaged.age");
        std::fs::write(&damaged, bytes).unwrap();
        assert!(fails(brought("rehearse", text(&damaged), &[1, 2])).contains("damaged"));
        // The first key, which was replaced.
        let said = stage.phieu_fails(&["box", "rehearse", ROUND, "--key", text(&field.key)]);
        assert!(said.contains("not the key to which"), "{said}");
        assert!(stage.phieu_fails(&["round", "open", ROUND]).contains("have not rehearsed"));

        assert!(does(brought("rehearse", text(&file), &[1, 2])).contains("rehearsed"));
        stage.phieu(&["round", "open", ROUND]);
        assert!(fails(brought("rehearse", text(&file), &[1, 2])).contains("this act needs it loaded"));
        let service = stage.serve();
        let anon = Actor::anon(&service);
        for seed in 0..12 {
            let code = field.take("CC-CT").code;
            let form = anon.form(&code).json();
            anon.cast(&code, &answers(&form["form"], &mut Dice::new(seed))).receipt(201);
        }
        drop(service);
        stage.phieu(&["round", "close", ROUND]);
        let said = stage.phieu_fails(&["box", "open", ROUND, "--key", text(&field.key)]);
        assert!(said.contains("not the key to which"), "{said}");
        let said = match stage.backend {
            "sqlite" => does(brought("open", text(&pair("An+Bình")), &[1, 0])),
            _ => stage.phieu(&["box", "open", ROUND, "--key", text(&plain)]),
        };
        assert!(said.contains("envelopes 12, opened 12"), "{said}");
        stage.phieu(&["round", "publish", ROUND, "--force-early"]);
        let said = stage.phieu_fails(&["box", "burn", ROUND, "--key", text(&plain)]);
        assert!(said.contains("held by trustees"), "{said}");
        let files = ["An+Bình", "An+Chi", "Bình+Chi"].map(pair);
        let mut burn = vec!["box", "burn", ROUND];
        burn.extend(files.iter().flat_map(|file| ["--trustee-file", text(file)]));
        stage.phieu(&burn);
        assert_eq!(std::fs::read_dir(&keys).unwrap().count(), 0);
    });
}

/// Runs a command again and again, killed after ever longer times, until it gets through by itself. Gives back how many
/// times it was killed.
fn killed_until_done(stage: &Stage, arguments: &[&str], consistent: impl Fn()) -> u32 {
    let mut killed = 0;
    let mut wait = Duration::from_millis(1);
    loop {
        let mut child = stage.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let started = Instant::now();
        let ended = loop {
            match child.try_wait().unwrap() {
                Some(_) => break true,
                None if started.elapsed() >= wait => break false,
                None => std::thread::sleep(Duration::from_micros(500)),
            }
        };
        if ended {
            let output = child.wait_with_output().unwrap();
            let said = both(&output);
            // Killed after its commit, it has nothing left to do and says where the round is.
            assert!(output.status.success() || said.contains("this act needs it"), "{arguments:?}: {said}");
            return killed;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        consistent();
        wait = wait * 5 / 4 + Duration::from_millis(1);
    }
}

#[test]
fn close_open_publish_and_burn_go_on_after_any_kill() {
    on_each(|stage| {
        let mut field = Field::open(stage);
        let service = stage.serve();
        let anon = Actor::anon(&service);
        let mut cast = 0;
        for (group, most) in [("CC-CT", 25), ("CC-ND", 12), ("CC-CH", 11)] {
            for seed in 0..most {
                let code = field.take(group).code;
                let form = anon.form(&code).json();
                anon.cast(&code, &answers(&form["form"], &mut Dice::new(seed))).receipt(201);
                cast += 1;
            }
        }
        drop(service);
        let state = |state: &str| stage.count(&format!("round WHERE state = '{state}'")) == 1;
        let used = || assert_eq!(stage.count("credential WHERE state = 'used'"), cast);
        let mut kills = Vec::new();
        kills.push(killed_until_done(stage, &["round", "close", ROUND], || {
            used();
            assert_eq!(stage.count("envelope") + stage.count("ballot_box"), cast);
            assert_eq!(stage.count("log_leaf"), stage.count("ballot_box"));
        }));
        assert!(state("closed") && stage.count("ballot_box") == cast);
        kills.push(killed_until_done(stage, &["box", "open", ROUND, "--key", text(&field.key)], || {
            used();
            let opened = stage.count("opening");
            assert_eq!(stage.count("ballot"), if opened == 1 { cast } else { 0 }, "all or none");
        }));
        assert!(state("opened") && stage.count("ballot") == cast);
        kills.push(killed_until_done(stage, &["round", "publish", ROUND, "--force-early"], || {
            assert_eq!(stage.count("publication"), stage.count("round WHERE state = 'published'"));
        }));
        assert!(state("published") && stage.count("publication") == 1);
        // The burning: by then the file may be gone, and the same command still ends well.
        let burn = ["box", "burn", ROUND, "--key", text(&field.key)];
        let done = || stage.count("audit WHERE action = 'round.box_key_burnt'");
        let mut wait = Duration::from_millis(1);
        while done() == 0 {
            let mut child = stage.command(&burn).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            std::thread::sleep(wait);
            let _ = child.kill();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.code().is_none_or(|code| code == 0), "{}", both(&output));
            assert!(done() == 0 || !field.key.exists(), "said to be burnt, and there");
            wait = wait * 5 / 4 + Duration::from_millis(1);
        }
        assert_eq!(done(), 1);
        eprintln!("{}: killed {kills:?} times", stage.backend);
    });
}
