//! The log in the database: what is appended is what its tiles hold, envelopes move in batches, and receipts prove it.

use std::collections::BTreeSet;

use super::tile::leaves;
use super::*;
use crate::ceremony::fixture::{BY, Place, ROUND, Routes, get, places};
use crate::db::Db;

/// Every leaf by the tiles, after checking them against the head.
fn read(db: &Db) -> Vec<Vec<u8>> {
    db.read_here(|conn| {
        let head = head(conn, ROUND)?;
        let (mut all, mut tree) = (Vec::new(), Tree::default());
        for one in Tile::all(head.checkpoint.size) {
            let body = tile(conn, ROUND, &one)?.unwrap();
            if one.kind == Kind::Entries {
                for leaf in leaves(&body).unwrap() {
                    tree.push(leaf);
                    all.push(leaf.to_vec());
                }
            } else {
                assert_eq!(hashes(&body).unwrap().len(), usize::try_from(one.width).unwrap(), "{}", one.path());
            }
        }
        assert_eq!((tree.size(), tree.root()), (head.checkpoint.size, head.checkpoint.root));
        Ok::<_, LogError>(all)
    })
    .unwrap()
}

/// Everything that the log of the plan's round says, the oldest first.
pub(crate) fn entries(db: &Db) -> Vec<Entry> {
    read(db).iter().map(|leaf| Entry::parse(leaf).unwrap()).collect()
}

fn count(place: &Place, sql: &str) -> i64 {
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let sql = diesel::sql_query(format!("SELECT count(*) AS n FROM {sql}"));
    let row: Row = place
        .test
        .db
        .read_here(|conn| match conn {
            Conn::Sqlite(c) => sql.get_result(c).map_err(DbError::from),
            Conn::Postgres(c) => sql.get_result(c).map_err(DbError::from),
        })
        .unwrap();
    row.n
}

/// A little at a time, over the edges of tiles: after each step the head, the tiles and every proof agree.
#[test]
fn what_is_appended_is_what_the_tiles_hold() {
    for place in places() {
        place.test.db.write_here(|conn| begin(conn, ROUND, &place.entropy)).unwrap();
        let mut written: Vec<Vec<u8>> = Vec::new();
        for step in [1, 2, 252, 1, 1, 300, 0, 70_000, 5] {
            place
                .test
                .db
                .write_here(|conn| {
                    let mut log = Appender::of(conn, ROUND)?;
                    for _ in 0..step {
                        let leaf = format!("leaf {}", written.len()).into_bytes();
                        log.push(conn, &leaf)?;
                        written.push(leaf);
                    }
                    log.finish(conn)
                })
                .unwrap();
            assert!(read(&place.test.db) == written, "{} leaves", written.len());
            let size = u64::try_from(written.len()).unwrap();
            let proved = |conn: &mut Conn| {
                let root = head(conn, ROUND)?.checkpoint.root;
                for at in [0, 255, 256, size / 2, size - 1].into_iter().filter(|at| *at < size) {
                    let path = inclusion(&mut Stored { conn: &mut *conn, round: ROUND, last: None }, at, size)?;
                    let leaf = merkle::leaf_hash(&written[usize::try_from(at).unwrap()]);
                    assert_eq!(merkle::root_by_path(&leaf, at, size, &path), Some(root), "{at} of {size}");
                }
                Ok::<_, LogError>(())
            };
            place.test.db.read_here(proved).unwrap();
        }
        let too_long = place.test.db.write_here(|conn| Appender::of(conn, ROUND)?.push(conn, &[0; 65_536]));
        assert!(matches!(too_long, Err(LogError::TooLong)));
    }
}

#[test]
fn envelopes_move_ten_at_least_in_the_order_of_their_hashes() {
    for mut place in places() {
        let codes = place.issue("CC-CT", Some("SNV"), Some(30));
        place.keygen();
        place.ceremony.open(&BY, ROUND).unwrap();
        place.test.db.read_here(|conn| place.rounds.reread(conn)).unwrap();
        let mut receipts = Vec::new();
        for (number, code) in codes.iter().take(25).enumerate() {
            receipts.push(place.cast(code).receipt);
            let moved = batch::move_waiting(&place.test.db, &place.rounds).unwrap();
            assert_eq!(moved, if (number + 1) % 10 == 0 { 10 } else { 0 }, "{}", place.test.backend);
            assert_eq!(
                count(&place, "credential WHERE state = 'used'"),
                count(&place, "envelope") + count(&place, "ballot_box"),
            );
        }
        let entries = entries(&place.test.db);
        assert!(matches!(entries[0], Entry::Open { .. }));
        let ids = |range: std::ops::Range<usize>| {
            let id = |entry: &Entry| match entry {
                Entry::Envelope { id } => id.clone(),
                other => panic!("{other:?}"),
            };
            entries[range].iter().map(id).collect::<Vec<String>>()
        };
        for (batch, at) in [(0, 1..11), (1, 12..22)] {
            let of_batch: BTreeSet<String> =
                receipts[batch * 10..batch * 10 + 10].iter().map(ToString::to_string).collect();
            assert_eq!(
                ids(at),
                of_batch.into_iter().collect::<Vec<_>>(),
                "sorted, and nothing of the order of casting"
            );
        }
        assert_eq!(entries[11], Entry::Redeemed { total: 10, root: None });
        assert_eq!(entries[22], Entry::Redeemed { total: 20, root: None });
        let found = |receipt: &Receipt| place.test.db.read_here(|conn| find(conn, receipt)).unwrap();
        assert!(matches!(found(&receipts[3]), Found::InLog(_)));
        assert_eq!(found(&receipts[24]), Found::Waiting(ROUND.to_owned()));
        assert_eq!(found(&Receipt::parse(&"0".repeat(64)).unwrap()), Found::Unknown);

        place.ceremony.close(&BY, ROUND).unwrap();
        for receipt in &receipts {
            let Found::InLog(found) = found(receipt) else { panic!("every receipt is in the log after the close") };
            let leaf = merkle::leaf_hash(&Entry::envelope(receipt.id()));
            let head = &found.head.checkpoint;
            assert_eq!(merkle::root_by_path(&leaf, found.place, head.size, &found.path), Some(head.root));
        }
        assert_eq!(batch::move_waiting(&place.test.db, &place.rounds).unwrap(), 0, "nothing after the close");
    }
}

#[test]
fn codes_made_or_withdrawn_after_the_opening_are_in_the_log() {
    for place in places() {
        let codes = place.issue("CC-CT", Some("SNV"), Some(3));
        place.keygen();
        let revoke = |at: usize| {
            place.test.db.write_here(|conn| crate::credential::revoke(conn, &place.rounds, &codes[at].token).map(drop))
        };
        revoke(0).unwrap();
        place.ceremony.open(&BY, ROUND).unwrap();
        revoke(1).unwrap();
        place
            .test
            .db
            .write_here(|conn| {
                crate::credential::replace(conn, &place.rounds, &codes[2].token, &place.entropy).map(drop)
            })
            .unwrap();
        place.issue("CC-CT", Some("SNV"), Some(5));
        place.ceremony.close(&BY, ROUND).unwrap();
        let entries = entries(&place.test.db);
        let incident = |what, issued, revoked| Entry::Incident { what, issued, revoked, roster_hash: None };
        assert_eq!(entries[1], incident(What::CodesRevoked, 0, 1));
        assert_eq!(entries[2], incident(What::CodesReplaced, 1, 1));
        assert_eq!(entries[3], incident(What::CodesIssued, 5, 0));
        let (Entry::Open { credentials: at_open, revoked, .. }, Entry::Close { credentials, unused, .. }) =
            (&entries[0], &entries[6])
        else {
            panic!("{entries:?}")
        };
        assert_eq!((at_open.total, *revoked), (3, 1));
        assert_eq!((credentials.total, *unused), (9, 6));
        let late = place.test.db.write_here(|conn| {
            crate::credential::replace(conn, &place.rounds, &codes[2].token, &place.entropy).map(drop)
        });
        assert!(matches!(late, Err(crate::credential::CredentialError::Closed)));
    }
}

#[test]
fn a_round_that_an_older_version_opened_gets_its_log_at_the_close() {
    for mut place in places() {
        let sent = place.field_work();
        place.tamper("DELETE FROM log_tile");
        place.tamper("DELETE FROM log");
        place.ceremony.close(&BY, ROUND).unwrap();
        let entries = entries(&place.test.db);
        assert!(matches!(entries.first(), Some(Entry::Open { .. })) && entries.len() == sent.len() + 4);
        place.ceremony.open_box(&BY, ROUND, &place.key(), |_| ()).unwrap();
    }
}

const ROUTES: Routes = Routes { pages, rest, data: |_| () };

#[actix_web::test]
async fn anyone_can_take_the_log_and_look_a_receipt_up() {
    for mut place in places() {
        let log = format!("/api/v1/rounds/{ROUND}/log");
        assert_eq!(place.ask(ROUTES, get(&format!("{log}/checkpoint"))).await.refusal(), (404, "log_unknown".into()));
        let sent = place.until_opened();
        let checkpoint = place.ask(ROUTES, get(&format!("{log}/checkpoint"))).await;
        assert_eq!(checkpoint.header("cache-control"), "no-cache");
        let again = get(&format!("{log}/checkpoint")).insert_header(("if-none-match", checkpoint.header("etag")));
        assert_eq!(place.ask(ROUTES, again).await.status, 304);
        let vkey = place.ask(ROUTES, get(&format!("{log}/vkey"))).await;
        let vkey: VerifierKey = vkey.text().trim_end().parse().unwrap();
        let head = Checkpoint::open(checkpoint.text(), &vkey).unwrap();
        // Open, redeemed, paper, close, opened.
        assert_eq!(head.size, u64::try_from(sent.len()).unwrap() + 5);
        let width = head.size;
        let partial = place.ask(ROUTES, get(&format!("{log}/tile/entries/000.p/{width}"))).await;
        assert_eq!((partial.status, partial.header("content-type")), (200, "application/octet-stream"));
        assert_eq!(leaves(&partial.body).unwrap().len(), usize::try_from(width).unwrap());
        let narrower = place.ask(ROUTES, get(&format!("{log}/tile/0/000.p/7"))).await;
        assert_eq!(narrower.body.len(), 7 * 32);
        for wrong in ["0/000", "1/000.p/1", "0/000.p/0", "0/001.p/3", "entries/0", "x", "0/../../checkpoint"] {
            let refused = place.ask(ROUTES, get(&format!("{log}/tile/{wrong}"))).await;
            assert_eq!(refused.status, 404, "{wrong}");
        }

        let receipt = sent[0].receipt.to_string();
        let found = place.ask(ROUTES, get(&format!("/api/v1/receipts/{receipt}"))).await.json();
        assert_eq!((&found["state"], &found["round"]), (&"in_log".into(), &ROUND.into()));
        assert_eq!(found["inclusion"]["leaf"], format!(r#"{{"entry":"envelope","id":"{receipt}"}}"#));
        let wrong = if receipt.starts_with('0') { "1" } else { "0" };
        for unknown in [format!("{wrong}{}", &receipt[1..]), receipt[1..].to_owned(), format!("g{}", &receipt[1..])] {
            let refused = place.ask(ROUTES, get(&format!("/api/v1/receipts/{unknown}"))).await;
            assert_eq!(refused.refusal(), (404, "receipt_unknown".into()));
        }

        let post = |receipt: &str| {
            let form = [("bien-nhan", receipt.to_owned())];
            actix_web::test::TestRequest::post().uri("/khao-sat/kiem-tra").set_form(form)
        };
        let page = place.ask(ROUTES, post(&receipt.to_uppercase())).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("Phiếu có trong hòm phiếu") && page.text().contains(&receipt));
        assert!(page.text().contains("phieu verify --url https://cchc.example/khao-sat --round"), "{}", page.text());
        let page = place.ask(ROUTES, post(&format!("{wrong}{}", &receipt[1..]))).await;
        assert_eq!(page.status, 404);
        assert!(page.text().contains("Không có trong hòm phiếu") && page.text().contains("từng ký tự"));
        let page = place.ask(ROUTES, post("<script>")).await;
        assert_eq!(page.status, 422);
        assert!(!page.text().contains("<script>"));
        assert_eq!(place.ask(ROUTES, get("/kiem-tra")).await.status, 200);
    }
}

/// The example of README.md is a real one.
#[test]
fn the_documents_example_is_true() {
    let readme = include_str!("README.md");
    let block = |containing: &str| {
        let mut blocks = readme.split("```").filter(|part| part.starts_with("text\n") && part.contains(containing));
        blocks.next().unwrap().strip_prefix("text\n").unwrap().to_owned()
    };
    let key: VerifierKey = readme.split('`').find(|part| part.starts_with("phieu/thu+")).unwrap().parse().unwrap();
    let mut tree = Tree::default();
    for leaf in block("redeemed").lines() {
        assert!(Entry::parse(leaf.as_bytes()).is_some(), "{leaf}");
        tree.push(leaf.as_bytes());
    }
    let secret = SigningKey::from_bytes(&[7; 32]);
    let head = Checkpoint { origin: "phieu/thu".to_owned(), size: 3, root: tree.root() };
    let is = format!("{}\n{}", VerifierKey::of("phieu/thu", &secret), head.sign(&secret));
    assert_eq!(format!("{key}\n{}", block("phieu/thu\n")), is);
    assert_eq!(Checkpoint::open(&block("phieu/thu\n"), &key), Ok(head));
}

/// Several processes move while people cast: at every moment the codes used are as many as the envelopes of both kinds,
/// and at the end every receipt is in the log once.
#[test]
fn many_movers_and_casters_at_once_lose_nothing() {
    use std::sync::atomic::{AtomicBool, Ordering};

    for place in places() {
        let codes = place.issue("CC-CT", Some("SNV"), Some(120));
        place.keygen();
        place.ceremony.open(&BY, ROUND).unwrap();
        place.test.db.read_here(|conn| place.rounds.reread(conn)).unwrap();
        let done = AtomicBool::new(false);
        let receipts: Vec<Receipt> = std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        batch::move_waiting(&place.test.db, &place.rounds).unwrap();
                    }
                });
            }
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let sums = "(SELECT (SELECT count(*) FROM credential WHERE state = 'used') - \
                                (SELECT count(*) FROM envelope) - (SELECT count(*) FROM ballot_box) AS d) x WHERE d <> 0";
                    assert_eq!(count(&place, sums), 0);
                }
            });
            let (casting, db, rounds) = (&place.casting, &place.test.db, &place.rounds);
            let cast = |part: &[crate::credential::IssuedCode]| {
                let cast_one = |code: &crate::credential::IssuedCode| {
                    let bearer = db.read_here(|conn| crate::ballot::find(conn, rounds, &code.token)).unwrap();
                    let form = bearer.form().unwrap();
                    let item = form.questionnaire.items().next().unwrap();
                    let scale = form.scales.iter().find(|s| Some(s.code.as_str()) == item.scale()).unwrap();
                    let mut answers = survey_forms::answers::Answers::new();
                    let choice = survey_forms::answers::Answer::Choice(scale.options[0].code.clone());
                    answers.insert("SNV", &item.code, choice);
                    casting.cast_here(&bearer, &answers).unwrap().receipt
                };
                part.iter().map(cast_one).collect::<Vec<Receipt>>()
            };
            let casters: Vec<_> = codes.chunks(30).map(|part| scope.spawn(move || cast(part))).collect();
            let all = casters.into_iter().flat_map(|caster| caster.join().unwrap()).collect();
            done.store(true, Ordering::SeqCst);
            all
        });
        place.ceremony.close(&BY, ROUND).unwrap();
        let entries = entries(&place.test.db);
        let ids = entries.iter().filter_map(|entry| match entry {
            Entry::Envelope { id } => Some(id.clone()),
            _ => None,
        });
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        let mut all: Vec<String> = receipts.iter().map(ToString::to_string).collect();
        all.sort();
        assert_eq!(ids, all, "{}", place.test.backend);
    }
}
