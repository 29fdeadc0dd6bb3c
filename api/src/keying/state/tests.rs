//! Random events against an account that is kept beside the machine, and each refusal.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Event {
    Start(u8),
    First(u8),
    Second(u8, bool),
    Verify,
    Sample(u8, bool),
    Settle(u8),
    Cast,
    Refer(u8),
    Return,
    Void(u8, u8),
    Reopen,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0_u8..5).prop_map(Event::Start),
        3 => (0_u8..5).prop_map(Event::First),
        3 => (0_u8..5, any::<bool>()).prop_map(|(by, equal)| Event::Second(by, equal)),
        1 => Just(Event::Verify),
        2 => (0_u8..5, any::<bool>()).prop_map(|(by, equal)| Event::Sample(by, equal)),
        2 => (0_u8..5).prop_map(Event::Settle),
        2 => Just(Event::Cast),
        1 => (0_u8..5).prop_map(Event::Refer),
        1 => Just(Event::Return),
        1 => (0_u8..5, 0_u8..5).prop_map(|(a, b)| Event::Void(a, b)),
        1 => Just(Event::Reopen),
    ]
}

fn apply(capture: &Capture, event: &Event) -> Result<Capture, Refusal> {
    match event {
        Event::Start(by) => capture.started(&by.to_string()),
        Event::First(by) => capture.first_done(&by.to_string()),
        Event::Second(by, equal) => capture.second_done(&by.to_string(), *equal),
        Event::Verify => capture.verified(),
        Event::Sample(by, equal) => capture.sampled(&by.to_string(), *equal),
        Event::Settle(by) => capture.settled(&by.to_string()),
        Event::Cast => capture.cast(),
        Event::Refer(by) => capture.referred(&by.to_string()),
        Event::Return => capture.returned(),
        Event::Void(a, b) => capture.voided(&a.to_string(), &b.to_string()),
        Event::Reopen => capture.reopened(),
    }
}

/// What the accepted events make of a ballot, told apart from the machine.
#[derive(Default)]
struct Account {
    first: Option<u8>,
    second: Option<u8>,
    equal: bool,
    audited: Option<u8>,
    third: Option<u8>,
    settled: bool,
    aside: bool,
    void: bool,
    casts: u8,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    /// An independent account of the accepted events, kept beside the machine, must explain every state.
    #[test]
    fn no_sequence_of_events_breaks_the_rules(events in prop::collection::vec(event(), 0..40)) {
        let mut capture = Capture::Awaiting;
        let mut seen = Account::default();
        for event in &events {
            let Ok(next) = apply(&capture, event) else { continue };
            prop_assert_eq!(seen.casts, 0, "nothing moves what is in the box");
            if !matches!(event, Event::Reopen) {
                prop_assert!(!seen.void, "what is void is only reopened");
            }
            if seen.aside {
                prop_assert!(matches!(event, Event::Return | Event::Void(..) | Event::Reopen));
            }
            match event {
                Event::Start(_) => {}
                Event::First(by) => prop_assert_eq!(seen.first.replace(*by), None, "one first entry"),
                Event::Second(by, same) => {
                    prop_assert!(seen.first.is_some(), "the first pass comes first");
                    prop_assert_eq!(seen.second.replace(*by), None, "one second entry");
                    seen.equal = *same;
                }
                Event::Verify => {
                    prop_assert!(seen.second.is_some() && seen.equal);
                    seen.settled = true;
                }
                Event::Sample(by, same) => {
                    prop_assert!(seen.second.is_some() && seen.equal, "only what two agree on is a sample");
                    prop_assert_eq!(seen.audited.replace(*by), None);
                    (seen.equal, seen.settled) = (*same, *same);
                }
                Event::Settle(by) => {
                    prop_assert!(seen.second.is_some() && !seen.equal, "only a difference is decided");
                    prop_assert_eq!(seen.third.replace(*by), None, "one decision");
                    seen.settled = true;
                }
                Event::Cast => {
                    prop_assert!(seen.settled, "nothing is cast that is not settled");
                    seen.casts += 1;
                }
                Event::Refer(_) => {
                    prop_assert!(!seen.settled);
                    seen.aside = true;
                }
                Event::Return => {
                    prop_assert!(seen.aside);
                    seen.aside = false;
                }
                Event::Void(a, b) => {
                    prop_assert!(seen.aside && a != b, "two persons make a ballot void");
                    (seen.aside, seen.void) = (false, true);
                }
                Event::Reopen => {
                    prop_assert!(!seen.settled);
                    seen = Account::default();
                }
            }
            capture = next;
            let people: Vec<u8> = [seen.first, seen.second, seen.audited, seen.third].into_iter().flatten().collect();
            prop_assert_eq!(people.iter().collect::<BTreeSet<_>>().len(), people.len(), "different persons");
            prop_assert_eq!(matches!(capture, Capture::Cast { .. }), seen.casts == 1);
            prop_assert_eq!(matches!(capture, Capture::Invalid { .. }), seen.void);
            prop_assert_eq!(matches!(capture, Capture::Referred { .. }), seen.aside);
            if !matches!(capture, Capture::Reopened { .. })
                && !matches!(&capture, Capture::Referred { before, .. } | Capture::Invalid { before, .. }
                             if matches!(**before, Capture::Reopened { .. })) {
                let name = |by: Option<u8>| by.map(|n| n.to_string());
                prop_assert_eq!(capture.keyed_by(Pass::First).map(str::to_owned), name(seen.first));
                prop_assert_eq!(capture.keyed_by(Pass::Second).map(str::to_owned), name(seen.second));
                prop_assert_eq!(capture.keyed_by(Pass::Sample).map(str::to_owned), name(seen.audited));
                prop_assert_eq!(capture.settled_by().map(str::to_owned), name(seen.third));
            }
        }
    }
}

#[test]
fn each_refusal_says_why() {
    let awaiting = Capture::Awaiting;
    assert_eq!(awaiting.second_done("b", true), Err(Refusal::FirstMissing));
    let begun = awaiting.started("a").unwrap();
    assert_eq!(begun.started("b"), Ok(Capture::FirstInProgress { by: "b".to_owned() }), "the paper is in b's hand");
    let first = begun.first_done("a").unwrap();
    assert_eq!(first.first_done("a"), Err(Refusal::SamePerson));
    assert_eq!(first.started("a"), Err(Refusal::SamePerson));
    assert_eq!(first.first_done("b"), Err(Refusal::PassTaken));
    assert_eq!(first.second_done("a", true), Err(Refusal::SamePerson));
    assert_eq!(first.cast(), Err(Refusal::NotSettled));
    let differ = first.started("b").unwrap().second_done("b", false).unwrap();
    assert_eq!(differ.next_pass("c"), Err(Refusal::AwaitsThird));
    assert_eq!(differ.settled("b"), Err(Refusal::SamePerson));
    assert_eq!(differ.cast(), Err(Refusal::NotSettled));
    let cast = differ.started("c").unwrap().settled("c").unwrap().cast().unwrap();
    assert_eq!(cast.cast(), Err(Refusal::AlreadyCast));
    assert_eq!(cast.next_pass("d"), Err(Refusal::AlreadyCast));
    assert_eq!(cast.settled("d"), Err(Refusal::AlreadyCast));
    assert_eq!(cast.referred("d"), Err(Refusal::AlreadyCast));
    assert_eq!(cast.reopened(), Err(Refusal::AlreadyCast));
    let aside = differ.referred("b").unwrap();
    assert_eq!(aside.next_pass("c"), Err(Refusal::SetAside));
    assert_eq!(aside.returned(), Ok(differ.clone()));
    assert_eq!(differ.returned(), Err(Refusal::NotSetAside));
    assert_eq!(aside.voided("c", "c"), Err(Refusal::SamePerson));
    let void = aside.voided("c", "d").unwrap();
    assert_eq!(void.next_pass("e"), Err(Refusal::Void));
    assert_eq!(void.reopened(), Ok(Capture::Reopened { earlier: vec!["a".to_owned(), "b".to_owned()] }));
    let matched = first.second_done("b", true).unwrap();
    assert_eq!(matched.next_pass("a"), Err(Refusal::SamePerson));
    assert_eq!(matched.next_pass("c"), Ok(Pass::Sample));
    let contested = matched.sampled("c", false).unwrap();
    assert_eq!(contested.settled("c"), Err(Refusal::SamePerson));
    assert_eq!(awaiting.reopened(), Err(Refusal::NothingToReopen));
}
