//! Many at once with one code: one ballot, one receipt for all.

use std::collections::BTreeSet;
use std::sync::Barrier;

use crate::actors::Actor;
use crate::field::{Dice, answers, open_service};
use crate::stage::on_each;

const CLIENTS: usize = 64;

#[test]
fn sixty_four_clients_with_one_code_cast_one_ballot() {
    on_each(|stage| {
        let (mut field, service) = open_service(stage);
        let code = field.take("CC-CT");
        let form = Actor::anon(&service).form(&code.code).json();
        let start = Barrier::new(CLIENTS);
        let got: Vec<(u16, String)> = std::thread::scope(|scope| {
            let race = |n: usize| {
                let (service, form, start, code) = (&service, &form, &start, &code.code);
                scope.spawn(move || {
                    // Everyone with a connection and an opinion of their own.
                    let anon = Actor::anon(service);
                    let opinion = answers(&form["form"], &mut Dice::new(u64::try_from(n).unwrap()));
                    assert_eq!(anon.get("/healthz").status, 200);
                    start.wait();
                    let answer = anon.cast(code, &opinion);
                    (answer.status, answer.receipt(answer.status))
                })
            };
            let racers: Vec<_> = (0..CLIENTS).map(race).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let receipts: BTreeSet<&String> = got.iter().map(|(_, receipt)| receipt).collect();
        assert_eq!((got.len(), receipts.len()), (CLIENTS, 1), "{}", stage.backend);
        assert_eq!(got.iter().filter(|(status, _)| *status == 201).count(), 1, "{}", stage.backend);
        assert_eq!(got.iter().filter(|(status, _)| *status == 200).count(), CLIENTS - 1, "{}", stage.backend);
        assert_eq!(stage.count("envelope"), 1);
        assert_eq!(stage.count("credential WHERE state = 'used'"), 1);
        assert_eq!(stage.count("turnout WHERE returned = 1"), 1);
        assert_eq!(stage.count("turnout"), 1);
    });
}
