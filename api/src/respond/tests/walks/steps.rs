//! What people do on a walk, each step held against the model.

use std::rc::Rc;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use survey_forms::questionnaire::Section;

use super::super::Answer;
use super::model::{Meaning, asked, controls, fitting, meanings, missing, pruned};
use super::{Card, Fields, Filled, MISTYPED, Old, Walk, receipt_on, target_of};

impl Walk<'_> {
    /// Types the code in one of the ways that people type it; any page with the field will do.
    pub(super) async fn enter(&mut self, device: usize, card: usize) {
        let code = self.cards[card].code.clone();
        let typed = match self.dice.below(4) {
            0 => code.to_lowercase(),
            1 => code.replace('-', " "),
            2 => format!("  {} ", code.replace('-', "")),
            _ => code,
        };
        let path = *self.dice.of(&["/", "/p", "/p?phan=2"]);
        let answer = self.devices[device].browser.post(path, &[("ma", &typed)]).await;
        let expected = if self.cards[card].cast.is_some() { "/p/xong" } else { "/p" };
        let location = answer.location.split('#').next().unwrap();
        assert_eq!((answer.status, location), (StatusCode::SEE_OTHER, expected));
        self.holds(device, card);
    }

    fn holds(&mut self, device: usize, card: usize) {
        self.devices[device].holds = Some(card);
    }

    /// A random screen of a card: its address, target and the items that are asked.
    fn screen(&mut self, card: usize) -> (String, &'static str, Vec<String>) {
        let Card { group, targets, draft, .. } = &self.cards[card];
        let sections = &self.round.questionnaire(group).unwrap().sections;
        let target = *self.dice.of(targets);
        let codes = |sections: &[Section]| {
            let all = sections.iter().flat_map(|s| &s.items).map(|item| item.code.clone());
            all.filter(|item| asked(draft, target, item)).collect()
        };
        if targets.len() == 1 {
            return ("/p?phan=1".to_owned(), target, codes(sections));
        }
        let at = self.dice.below(sections.len());
        (format!("/p?dt={target}&phan={}", at + 1), target, codes(&sections[at..=at]))
    }

    /// Opens a screen and holds it against the model; what stands on it, as a browser would send it.
    async fn opened(&mut self, device: usize, card: usize) -> Option<(String, &'static str, Fields, Answer)> {
        let (path, target, items) = self.screen(card);
        let page = self.devices[device].browser.get(&path).await;
        if self.cards[card].cast.is_some() {
            assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, "/p/xong"));
            return None;
        }
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let on_page = controls(&page);
        assert_eq!(on_page.len(), items.len(), "{path}");
        let mut fields = Fields::new();
        for item in items {
            let name = format!("c.{item}");
            let kept = self.cards[card].draft.get(&(target.to_owned(), item));
            assert_eq!(on_page[&name].holds().as_ref(), kept, "{path} {name}");
            fields.extend(on_page[&name].sent(&name));
        }
        let old = Old { card, path: path.clone(), mark: page.mark(), fields: fields.clone() };
        self.devices[device].old.push(old);
        Some((path, target, fields, page))
    }

    /// Answers some of a screen and presses one of its buttons.
    pub(super) async fn answer(&mut self, device: usize) {
        let Some(card) = self.devices[device].holds else { return self.answer_without_the_code(device).await };
        let Some((path, _, mut fields, page)) = self.opened(device, card).await else { return };
        for (name, control) in controls(&page) {
            if self.dice.below(3) > 0 {
                fields.retain(|(other, _)| *other != name);
                fields.extend(control.answered(&name, |n| self.dice.below(n)));
            }
        }
        let button = *self.dice.of(&["tiep", "lui", "xem-lai"]);
        self.save(device, Old { card, path, mark: page.mark(), fields }, Some(button)).await;
    }

    /// Posts a form as whoever sits at the device, and tells the model.
    async fn save(&mut self, device: usize, form: Old, button: Option<&str>) {
        let Old { card, path, mark, fields } = &form;
        let (card, path) = (*card, path.as_str());
        let mut sent: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        sent.push(("cua", mark));
        sent.extend(button.map(|button| ("di", button)));
        let saved = self.devices[device].browser.post(path, &sent).await;
        if self.devices[device].holds != Some(card) {
            assert_eq!(saved.status, StatusCode::CONFLICT, "a page of somebody else's");
            return;
        }
        if self.cards[card].cast.is_some() {
            assert_eq!((saved.status, saved.location.as_str()), (StatusCode::SEE_OTHER, "/p/xong"));
            return;
        }
        let target = target_of(path, &self.cards[card]);
        let faults = self.keep(card, target, fields);
        if faults > 0 {
            assert_eq!(saved.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
            assert_eq!(saved.body.matches(" class=\"error\"").count(), faults, "{path}: each is named");
        } else {
            assert_eq!(saved.status, StatusCode::SEE_OTHER, "{path}");
            self.devices[device].old.push(form);
        }
    }

    /// What fits is kept, whatever else is on the screen; how many questions on it have something that does not fit.
    fn keep(&mut self, card: usize, target: &str, fields: &Fields) -> usize {
        let card = &mut self.cards[card];
        let mut faulty = Vec::new();
        for (item, meaning) in meanings(fields) {
            let place = (target.to_owned(), item);
            match meaning {
                Meaning::Kept(value) => {
                    card.kept = true;
                    card.draft.insert(place, value);
                }
                Meaning::Empty => drop(card.draft.remove(&place)),
                Meaning::Fault => faulty.push(place.1),
            }
        }
        faulty.iter().filter(|item| asked(&card.draft, target, item)).count()
    }

    /// A form comes after the browser forgot the code: it is asked for, and nothing that was chosen is lost.
    async fn answer_without_the_code(&mut self, device: usize) {
        let card = self.dice.below(2);
        let (path, target, items) = self.screen(card);
        let fields: Fields = vec![(format!("c.{}", items[0]), fitting(&items[0]).to_owned())];
        let sent = [(fields[0].0.as_str(), fields[0].1.as_str())];
        let asked = self.devices[device].browser.post(&path, &sent).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(asked.body.contains(&fields[0].0) && asked.body.contains("name=\"ma\""));
        let code = self.cards[card].code.clone();
        let entered = self.devices[device].browser.post(&path, &[sent[0], ("ma", &code)]).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER);
        self.holds(device, card);
        if self.cards[card].cast.is_none() {
            self.keep(card, target, &fields);
        }
    }

    /// "Bỏ chọn": an answer is taken back.
    pub(super) async fn take_back(&mut self, device: usize) {
        let Some(card) = self.devices[device].holds else { return };
        let Some((path, target, fields, page)) = self.opened(device, card).await else { return };
        let names: Vec<String> = page.form().1.into_keys().collect();
        if names.is_empty() {
            return;
        }
        let item = self.dice.of(&names).strip_prefix("c.").unwrap().to_owned();
        let mut sent: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        sent.push(("bo", &item));
        let cleared = self.devices[device].browser.post(&path, &sent).await;
        assert_eq!(cleared.status, StatusCode::SEE_OTHER);
        self.keep(card, target, &fields);
        self.cards[card].kept = true;
        self.cards[card].draft.remove(&(target.to_owned(), item));
    }

    /// The back button, and the form that was there sent once more: what it names counts, nothing else moves. A form
    /// of the person who sat here before changes nothing.
    pub(super) async fn post_an_old_form(&mut self, device: usize) {
        if self.devices[device].holds.is_none() || self.devices[device].old.is_empty() {
            return;
        }
        let form = self.dice.of(&self.devices[device].old).clone();
        self.save(device, form, Some("tiep")).await;
    }

    /// Opens a page, or reloads it.
    pub(super) async fn look(&mut self, device: usize) {
        match self.devices[device].holds {
            Some(card) => drop(self.opened(device, card).await),
            None => {
                let path = *self.dice.of(&["/p", "/p?phan=1", "/p/xem-lai", "/p/xong"]);
                let asked = self.devices[device].browser.get(path).await;
                assert_eq!(asked.status, StatusCode::OK);
                assert!(asked.body.contains("name=\"ma\""), "{path} asks for the code");
            }
        }
    }

    /// A form that no page sends.
    pub(super) async fn post_nonsense(&mut self, device: usize) {
        let Some(card) = self.devices[device].holds else { return };
        let (path, _, items) = self.screen(card);
        let name = format!("c.{}", items[0]);
        let value = fitting(&items[0]);
        let wrong = if items[0] == "Q3" { "c.X9.8" } else { name.as_str() };
        let fields = *self.dice.of(&[[(wrong, "Z"), ("di", "tiep")], [(name.as_str(), value), ("c.X9.9", "A")]]);
        let refused = self.devices[device].browser.post(&path, &fields).await;
        // Once the ballot is in the box, nobody looks at what else was sent.
        match &self.cards[card].cast {
            Some(_) => assert_eq!(refused.location, "/p/xong"),
            None => assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {fields:?}"),
        }
    }

    pub(super) async fn mistype(&mut self, device: usize) {
        let refused = self.devices[device].browser.post("/p", &[("ma", MISTYPED)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains(MISTYPED), "what was typed stays");
    }

    pub(super) async fn leave(&mut self, device: usize) {
        let left = self.devices[device].browser.post("/thoat", &[]).await;
        assert_eq!(left.status, StatusCode::SEE_OTHER);
        assert!(self.devices[device].browser.cookie.is_none());
        self.devices[device].holds = None;
    }

    /// The review tells how much is blank.
    pub(super) async fn review(&mut self, device: usize) {
        let Some(at) = self.devices[device].holds else { return };
        let page = self.devices[device].browser.get("/p/xem-lai").await;
        let card = &self.cards[at];
        if card.cast.is_some() {
            assert_eq!(page.location, "/p/xong");
            return;
        }
        let all: Vec<&str> = self.round.questionnaire(card.group).unwrap().items().map(|i| i.code.as_str()).collect();
        let places = card.targets.iter().flat_map(|target| all.iter().map(move |item| (target, item)));
        let total = places.filter(|(target, item)| asked(&card.draft, target, item)).count();
        let blanks = total - pruned(&card.draft).len();
        assert_eq!(page.status, StatusCode::OK);
        let told = if missing(&card.draft, card.group, &card.targets) > 0 {
            page.body.contains("Còn câu bắt buộc chưa trả lời")
        } else if blanks == 0 {
            page.body.contains(&format!("đủ {total} câu"))
        } else {
            blanks == total || page.body.contains(&format!("{blanks}/{total} câu"))
        };
        assert!(told, "{blanks} of {total} are blank");
    }

    pub(super) async fn cast(&mut self, device: usize) {
        let answer = self.devices[device].browser.post("/p/xem-lai", &[]).await;
        let Some(card) = self.devices[device].holds else {
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "asks for the code");
            return;
        };
        self.was_cast(device, card, &[answer], Vec::new()).await;
    }

    /// Goes on answering until the ballot can be sent, and sends it.
    pub(super) async fn finish(&mut self, device: usize) {
        let Some(card) = self.devices[device].holds else { return };
        for _ in 0..20 {
            if self.cards[card].cast.is_some() || self.cards[card].takes(&self.cards[card].draft) {
                break;
            }
            self.answer(device).await;
        }
        self.cast(device).await;
    }

    /// What follows from one or several answers to a cast.
    async fn was_cast(&mut self, device: usize, card: usize, answers: &[Answer], or: Vec<Filled>) {
        let draft = self.cards[card].draft.clone();
        if self.cards[card].cast.is_none() && !self.cards[card].takes(&draft) {
            assert!(answers.iter().all(|answer| answer.status == StatusCode::UNPROCESSABLE_ENTITY));
            return;
        }
        for answer in answers {
            assert_eq!((answer.status, answer.location.as_str()), (StatusCode::SEE_OTHER, "/p/xong"));
        }
        let receipt = receipt_on(&self.devices[device].browser.get("/p/xong").await);
        let may = or.iter().chain([&draft]).map(pruned).collect();
        let known = self.cards[card].cast.get_or_insert_with(|| (receipt.clone(), may));
        assert_eq!(known.0, receipt, "the same receipt for ever");
    }

    pub(super) async fn cast_twice_at_once(&mut self, device: usize) {
        let Some(card) = self.devices[device].holds else { return };
        let both = [self.racing(device, "/p/xem-lai", &[]), self.racing(device, "/p/xem-lai", &[])];
        let mut answers = Vec::new();
        for one in both {
            answers.push(one.await.unwrap());
        }
        self.was_cast(device, card, &answers, Vec::new()).await;
    }

    /// The answer to a cast never arrives; the code is entered on another device, or the button pressed once more.
    pub(super) async fn answer_of_a_cast_is_lost(&mut self, device: usize, elsewhere: usize) {
        let Some(card) = self.devices[device].holds else { return };
        let takes = self.cards[card].cast.is_some() || self.cards[card].takes(&self.cards[card].draft);
        drop(self.devices[device].browser.post("/p/xem-lai", &[]).await);
        if takes && elsewhere != device {
            let code = self.cards[card].code.clone();
            let entered = self.devices[elsewhere].browser.post("/p", &[("ma", &code)]).await;
            assert_eq!(entered.location, "/p/xong");
            self.holds(elsewhere, card);
        }
        self.cast(device).await;
    }

    /// A tab saves while another one casts: the ballot has the change or it has it not, and is one ballot.
    pub(super) async fn save_while_casting(&mut self, device: usize) {
        let Some(card) = self.devices[device].holds else { return };
        let (path, target, items) = self.screen(card);
        let before = self.cards[card].draft.clone();
        let mut after = before.clone();
        after.insert((target.to_owned(), items[0].clone()), fitting(&items[0]).to_owned());
        // Where only one of the two could be cast, who is first decides more than this test wants to know.
        let both = self.cards[card].takes(&before) && self.cards[card].takes(&after);
        if self.cards[card].cast.is_some() || !both {
            return;
        }
        let fields: Fields = vec![(format!("c.{}", items[0]), fitting(&items[0]).to_owned())];
        let saving = self.racing(device, &path, &fields);
        let casting = self.racing(device, "/p/xem-lai", &[]);
        assert_eq!(saving.await.unwrap().status, StatusCode::SEE_OTHER);
        let cast = casting.await.unwrap();
        self.keep(card, target, &fields);
        self.was_cast(device, card, &[cast], vec![before]).await;
    }

    fn racing(
        &self,
        device: usize,
        path: &str,
        fields: &[(String, String)],
    ) -> actix_web::rt::task::JoinHandle<Answer> {
        let mut request = TestRequest::post().uri(path).insert_header(("sec-fetch-site", "same-origin"));
        if let Some(cookie) = &self.devices[device].browser.cookie {
            request = request.cookie(cookie.clone());
        }
        let (call, request) = (Rc::clone(&self.place.call), request.set_form(fields));
        actix_web::rt::spawn(async move { call(request).await })
    }

    /// A program casts with a code from the form: the first one wins here too.
    pub(super) async fn cast_over_the_api(&mut self, card: usize) {
        let Card { code, group, targets, cast, .. } = &self.cards[card];
        let (item, option) = if *group == "CC" { ("Q0", "KHONG") } else { ("X1.1", "C") };
        let sealed: Filled = targets.iter().map(|t| (((*t).to_owned(), item.to_owned()), option.to_owned())).collect();
        let about: serde_json::Map<String, Value> =
            targets.iter().map(|target| ((*target).to_owned(), json!({ item: option }))).collect();
        let answers = json!({"code": code, "answers": about});
        let known = cast.as_ref().map(|(receipt, _)| receipt.clone());
        // Rarely, so that most walks are of the form.
        if known.is_none() && self.dice.below(4) > 0 {
            return;
        }
        let answer = self.place.rest("/ballots", &answers).await;
        let receipt = answer.json()["receipt"].as_str().unwrap().to_owned();
        match known {
            Some(known) => assert_eq!((answer.status, receipt), (StatusCode::OK, known)),
            None => {
                assert_eq!(answer.status, StatusCode::CREATED);
                self.cards[card].cast = Some((receipt, vec![sealed]));
            }
        }
    }

    /// Whoever holds a cast card sees its receipt, whoever holds another does not.
    pub(super) async fn check_receipts(&mut self) {
        let device = self.dice.below(3);
        let Some(card) = self.devices[device].holds else { return };
        let page = self.devices[device].browser.get("/p/xong").await;
        match &self.cards[card].cast {
            Some((receipt, _)) => assert_eq!(receipt_on(&page), *receipt),
            None => assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, "/p")),
        }
    }
}
