//! Webhooks against real small receivers: one that takes, one that fails first, hangs, redirects, is gone; and names that
//! lead inward.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::send::signature;
use super::worker::deliver_due;
use super::*;
use crate::clock::Clock;
use crate::db::Db;
use crate::testing::{TestDb, databases_at};

/// Round of these tests.
const ROUND: &str = "quang-nam-2023";
const INSIDE: &str = "127.0.0.0/8";

/// What a receiver got.
struct Got {
    headers: BTreeMap<String, String>,
    body: String,
}

/// A receiver on a port of its own that gives these answers, one after the other, the last one for ever; an empty one
/// hangs.
fn receiver(answers: &'static [&'static str]) -> (String, Receiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (to, got) = channel();
    std::thread::spawn(move || {
        let mut hanging = Vec::new();
        for (at, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let Some(one) = read(&stream) else { continue };
            let answer = answers[at.min(answers.len() - 1)];
            if answer.is_empty() {
                hanging.push(stream.try_clone().unwrap());
            } else {
                let _ = write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
            if to.send(one).is_err() {
                return;
            }
        }
    });
    (url, got)
}

fn read(stream: &TcpStream) -> Option<Got> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    assert!(line.starts_with("POST /hook"), "{line}");
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    Some(Got { headers, body: String::from_utf8(body).unwrap() })
}

fn places() -> impl Iterator<Item = (TestDb, Clock)> {
    let clock = Clock::set_to("2023-11-15T01:00:00Z".parse().unwrap());
    databases_at(&clock).into_iter().map(move |test| {
        test.db.write_here(|conn| crate::round::load(conn, &survey_forms::quang_nam_2023())).unwrap();
        (test, clock.clone())
    })
}

fn sender() -> Sender {
    Sender::within(vec![INSIDE.parse().unwrap()], Duration::from_secs(2))
}

fn added(db: &Db, url: &str, round: Option<&str>) -> (Webhook, Secret) {
    let inside = [INSIDE.parse().unwrap()];
    let add = |conn: &mut Conn| {
        let now = db.now(conn)?;
        add(conn, now, &Entropy::System, &Actor::Command, url, round, &inside)
    };
    db.write_here(add).unwrap()
}

fn announced(db: &Db) -> usize {
    db.write_here(|conn| {
        let at = db.now(conn)?;
        let published_at = crate::clock::local(at);
        let path = format!("/api/v1/rounds/{ROUND}/scores?as_of=1");
        let reason = None;
        announce(
            conn,
            at,
            &Entropy::System,
            &Released { round: ROUND, release: 1, published_at, sha256: "ab", reason, path },
        )
    })
    .unwrap()
}

fn all(db: &Db) -> Vec<Delivery> {
    db.read_here(|conn| deliveries(conn, None, 100)).unwrap()
}

#[test]
fn a_receiver_is_told_once_and_can_verify_it() {
    for (test, _) in places() {
        let (url, got) = receiver(&["204 No Content"]);
        let (_, secret) = added(&test.db, &url, Some(ROUND));
        assert_eq!(announced(&test.db), 1);
        assert_eq!(deliver_due(&test.db, &sender()).unwrap(), 1);
        let one = got.recv().unwrap();
        let message: serde_json::Value = serde_json::from_str(&one.body).unwrap();
        assert_eq!(
            (message["type"].as_str(), message["data"]["round"].as_str()),
            (Some("scores.published"), Some(ROUND))
        );
        let key = BASE64.decode(secret.reveal().strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
        let at: i64 = one.headers["webhook-timestamp"].parse().unwrap();
        assert!((crate::clock::machine_now().timestamp() - at).abs() < 60);
        let expected = signature(&key, &one.headers["webhook-id"], at, &one.body).unwrap();
        assert_eq!(one.headers["webhook-signature"], expected);
        assert_eq!(one.headers["content-type"], "application/json");
        let kept = &all(&test.db)[0];
        assert_eq!(
            (kept.state, kept.attempts, kept.id.as_str()),
            (DeliveryState::Delivered, 1, one.headers["webhook-id"].as_str())
        );
        assert_eq!(deliver_due(&test.db, &sender()).unwrap(), 0, "told once");
        // By hand, once more: the same message.
        test.db
            .write_here(|conn| {
                let now = test.db.now(conn)?;
                replay(conn, now, &Actor::Command, &kept.id)
            })
            .unwrap();
        assert_eq!(deliver_due(&test.db, &sender()).unwrap(), 1);
        let again = got.recv().unwrap();
        assert_eq!((&again.headers["webhook-id"], &again.body), (&one.headers["webhook-id"], &one.body));
    }
}

/// The example of the specification: <https://www.standardwebhooks.com>, reference libraries.
#[test]
fn the_signature_is_that_of_the_specification() {
    let secret = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#).unwrap();
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn verifies_with_a_few_lines_of_python() {
    use std::process::{Command, Stdio};
    let readme = include_str!("README.md");
    let code = readme.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the lines");
    let (id, at, body) = ("msg_1", crate::clock::machine_now().timestamp(), r#"{"type":"scores.published"}"#);
    let signed = signature(&[7; 32], id, at, body).unwrap();
    let secret = format!("whsec_{}", BASE64.encode(&[7; 32]));
    let script = format!(
        "{code}\nh = {{'webhook-id': '{id}', 'webhook-timestamp': '{at}', 'webhook-signature': 'v1,AAAA {signed}'}}\n\
         body = b'{body}'\nassert verified(h, body, '{secret}')\nassert not verified(h, body + b' ', '{secret}')\n\
         h['webhook-timestamp'] = str({at} - 600)\nassert not verified(h, body, '{secret}')\n"
    );
    let mut python = Command::new("python3").arg("-").stdin(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(python.wait().unwrap().success());
}

#[test]
fn what_fails_is_tried_again_on_the_declared_days_and_then_given_up() {
    for (test, clock) in places() {
        let (url, got) = receiver(&["500 Oops", "503 Later", "200 OK"]);
        added(&test.db, &url, None);
        announced(&test.db);
        for (attempt, wait) in [(1, 5), (2, 300)] {
            assert_eq!(deliver_due(&test.db, &sender()).unwrap(), 1);
            let kept = &all(&test.db)[0];
            assert_eq!((kept.state, kept.attempts), (DeliveryState::Waiting, attempt));
            clock.advance(TimeDelta::seconds(wait - 1));
            assert_eq!(deliver_due(&test.db, &sender()).unwrap(), 0, "not before it is due");
            clock.advance(TimeDelta::seconds(1));
        }
        assert_eq!(deliver_due(&test.db, &sender()).unwrap(), 1);
        assert_eq!((all(&test.db)[0].state, all(&test.db)[0].attempts), (DeliveryState::Delivered, 3));
        let ids: std::collections::BTreeSet<String> =
            (0..3).map(|_| got.recv().unwrap().headers["webhook-id"].clone()).collect();
        assert_eq!(ids.len(), 1, "one message, whatever the attempt");

        // Nobody listens there any more.
        let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (gone, _) = added(&test.db, &format!("http://{dead}/hook"), None);
        announced(&test.db);
        let start = clock.fixed().unwrap();
        let of = |test: &TestDb| test.db.read_here(|conn| deliveries(conn, Some(&gone.id), 1)).unwrap().remove(0);
        while of(&test).state == DeliveryState::Waiting {
            deliver_due(&test.db, &sender()).unwrap();
            let now = clock.fixed().unwrap();
            clock.advance((of(&test).due_at - now).max(TimeDelta::zero()));
        }
        let last = of(&test);
        assert_eq!((last.state, last.attempts), (DeliveryState::GivenUp, ATTEMPTS));
        assert_eq!(last.last.unwrap().2.as_deref(), Some("connection_failed"));
        let hours = (clock.fixed().unwrap() - start).num_minutes();
        assert!((75 * 60..76 * 60).contains(&hours), "{hours} minutes");
        clock.advance(start - clock.fixed().unwrap());
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what is measured is how long the receiver holds the sender up")]
fn a_receiver_that_hangs_is_cut_off_and_holds_nobody_up() {
    for (test, _) in places() {
        let (hangs, _kept) = receiver(&[""]);
        let (takes, got) = receiver(&["200 OK"]);
        let (slow, _) = added(&test.db, &hangs, None);
        added(&test.db, &takes, None);
        assert_eq!(announced(&test.db), 2);
        let begun = Instant::now();
        assert_eq!(deliver_due(&test.db, &sender()).unwrap(), 2);
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
        got.recv().unwrap();
        let kept = test.db.read_here(|conn| deliveries(conn, Some(&slow.id), 1)).unwrap().remove(0);
        assert_eq!(kept.last.unwrap().2.as_deref(), Some("timed_out"));
        assert_eq!(kept.state, DeliveryState::Waiting);
    }
}

#[test]
fn redirects_are_not_followed_and_410_ends_it() {
    for (test, _) in places() {
        let (target, reached) = receiver(&["200 OK"]);
        let answer: &'static str = Box::leak(format!("302 Found\r\nlocation: {target}").into_boxed_str());
        let (redirects, _kept) = receiver(Box::leak(Box::new([answer])));
        let (webhook, _) = added(&test.db, &redirects, None);
        announced(&test.db);
        deliver_due(&test.db, &sender()).unwrap();
        let kept = test.db.read_here(|conn| deliveries(conn, Some(&webhook.id), 1)).unwrap().remove(0);
        assert_eq!((kept.state, kept.last.unwrap().1), (DeliveryState::Waiting, Some(302)));
        assert!(reached.recv_timeout(Duration::from_millis(200)).is_err(), "nobody was led on");
        test.db
            .write_here(|conn| {
                let now = test.db.now(conn)?;
                remove(conn, now, &Actor::Command, &webhook.id)
            })
            .unwrap();
        let kept = test.db.read_here(|conn| deliveries(conn, Some(&webhook.id), 1)).unwrap().remove(0);
        assert_eq!(kept.state, DeliveryState::GivenUp, "what waits for a removed one is given up");
        let again = test.db.write_here(|conn| {
            let now = test.db.now(conn)?;
            replay(conn, now, &Actor::Command, &kept.id)
        });
        assert!(matches!(again, Err(WebhookError::DeliveryUnknown)));

        let (gone, _kept) = receiver(&["410 Gone"]);
        let (webhook, _) = added(&test.db, &gone, None);
        announced(&test.db);
        deliver_due(&test.db, &sender()).unwrap();
        let state =
            |test: &TestDb| test.db.read_here(list).unwrap().into_iter().find(|w| w.id == webhook.id).unwrap().state;
        assert_eq!(state(&test), WebhookState::Gone);
        assert_eq!(announced(&test.db), 0, "nobody is left to tell");
    }
}

/// A name is judged by where it leads, each time: what is written as a public name may lead inward.
#[test]
fn names_that_lead_inward_are_not_called() {
    for (test, _) in places() {
        let (url, reached) = receiver(&["200 OK"]);
        let port = url.rsplit(':').next().unwrap().to_owned();
        let strict = Sender::within(Vec::new(), Duration::from_secs(2));
        // Added while this network was allowed; it no longer is.
        for host in ["localhost", "127.0.0.1", "2130706433"] {
            let (webhook, _) = added(&test.db, &format!("http://{host}:{port}"), None);
            announced(&test.db);
            deliver_due(&test.db, &strict).unwrap();
            let kept = test.db.read_here(|conn| deliveries(conn, Some(&webhook.id), 1)).unwrap().remove(0);
            assert_eq!(kept.last.unwrap().2.as_deref(), Some("address_not_allowed"), "{host}");
            test.db
                .write_here(|conn| {
                    let now = test.db.now(conn)?;
                    remove(conn, now, &Actor::Command, &webhook.id)
                })
                .unwrap();
        }
        assert!(reached.recv_timeout(Duration::from_millis(200)).is_err());
        let refused = |url: &str| {
            let add = |conn: &mut Conn| {
                let now = test.db.now(conn)?;
                add(conn, now, &Entropy::System, &Actor::Command, url, None, &[])
            };
            test.db.write_here(add).err().unwrap().to_string()
        };
        assert!(refused("https://169.254.169.254/latest").contains("not public"));
        assert!(refused("http://index.example/").contains("TLS"));
        let other_round = test.db.write_here(|conn| {
            let now = test.db.now(conn)?;
            add(conn, now, &Entropy::System, &Actor::Command, "https://index.example/", Some("x"), &[])
        });
        assert!(matches!(other_round, Err(WebhookError::RoundUnknown)));
    }
}

/// After a crash between taking and writing down, the lease runs out and the message is sent again, under its id.
#[test]
fn what_a_crashed_process_had_taken_is_sent_by_another_one() {
    for (test, clock) in places() {
        let (url, got) = receiver(&["200 OK"]);
        added(&test.db, &url, None);
        announced(&test.db);
        let take = |conn: &mut Conn| {
            let now = test.db.now(conn)?;
            Ok::<_, DbError>(store::claim(conn, now, now + TimeDelta::seconds(120), 8)?.len())
        };
        assert_eq!(test.db.write_here(take).unwrap(), 1);
        assert_eq!(deliver_due(&test.db, &sender()).unwrap(), 0, "it is somebody else's");
        clock.advance(TimeDelta::seconds(121));
        assert_eq!(deliver_due(&test.db, &sender()).unwrap(), 1);
        got.recv().unwrap();
        assert_eq!(all(&test.db)[0].state, DeliveryState::Delivered);
    }
}
