//! Papers that are not as they should be, as the clerk meets them: each is refused or set aside, and nothing is half done.

use super::*;
use crate::keying::aside::Trouble;

/// Bundle and number as on the sheet, as the fields of a form.
async fn place(scene: &Scene, token: &Token) -> [(String, String); 2] {
    let ballot = scene.bearer(token).await;
    let label = scene.desk.label(&ballot).await.unwrap().unwrap();
    [("bundle".to_owned(), label.bundle.to_string()), ("sheet".to_owned(), label.sheet.to_string())]
}

fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[actix_web::test]
async fn the_entry_of_another_form_is_refused_whole() {
    for scene in scenes() {
        let an = cookie(&scene, "le.an", Role::Clerk).await;
        let (token, other) = (scene.code(SINGLE), scene.code(MATRIX));
        let ballot = scene.bearer(&token).await;
        let foreign = scene.bearer(&other).await;
        // Ten items about one department under the code of 43 bodies with eight, and the other way round.
        let page = post(&scene, "/nhap-phieu/luot", &an, &entry(&other, "first", answer_keys(&ballot, "1", &[]))).await;
        assert!(page.status == 422 && page.body.contains("câu 1: chưa có mã"), "{}", page.status);
        let page =
            post(&scene, "/nhap-phieu/luot", &an, &entry(&token, "first", answer_keys(&foreign, "1", &[]))).await;
        assert!(page.status == 422 && page.body.contains("câu 9: chưa có mã"), "{}", page.status);
        let answers = crate::keying::fixture::all(&foreign, "1").to_value();
        let body = json!({ "code": token.expose().to_string(), "pass": "first", "answers": answers });
        let refused = call(&scene, "/keying/entries", &an, body).await;
        assert_eq!((refused.status, refused.json()["code"].as_str()), (422, Some("answers_invalid")));
        assert_eq!(scene.drafts(), 0, "{}", scene.test.backend);
    }
}

#[actix_web::test]
async fn a_paper_in_hand_is_set_aside_without_a_second_scan_and_comes_back_to_where_it_was() {
    let troubles = [
        Trouble::WrongForm,
        Trouble::CodeUnreadable,
        Trouble::OtherBundle,
        Trouble::PageMissing,
        Trouble::Copied,
        Trouble::Other,
    ];
    for scene in scenes() {
        let (an, chi) = (cookie(&scene, "le.an", Role::Clerk).await, cookie(&scene, "vo.chi", Role::Adjudicator).await);
        for trouble in troubles {
            let token = scene.code(MATRIX);
            let label = scene.desk.label(&scene.bearer(&token).await).await.unwrap().unwrap().to_string();
            // F9 in the middle of the ballot.
            let mut typed = entry(&token, "first", fields(&[("a1-1", "2"), ("a1-2", ".")]));
            typed.push(("viec".to_owned(), "su-co".to_owned()));
            let page = post(&scene, "/nhap-phieu/luot", &an, &typed).await;
            assert!(page.status == 200 && page.body.contains(&format!("Để riêng {label}")), "{trouble}");
            assert!(page.body.contains(&*token.expose()), "the code stands in the form");
            let unsaid =
                fields(&[("dot", "quang-nam-2023"), ("from", &label), ("trouble", ""), ("code", &token.expose())]);
            let again = post(&scene, "/nhap-phieu/su-co", &an, &unsaid).await;
            assert!(again.status == 422 && again.body.contains(&*token.expose()), "still in hand");
            let mut said = unsaid;
            said[2].1 = trouble.as_str().to_owned();
            let done = post(&scene, "/nhap-phieu/su-co", &an, &said).await;
            assert_eq!((done.status, done.location.as_str()), (303, "/khao-sat/nhap-phieu?kq=de-rieng"), "{trouble}");
            let shut = post(&scene, "/nhap-phieu", &an, &[code(&token)]).await;
            assert_eq!(shut.status, 409, "{trouble}");

            let all = scene.desk.referrals(&crate::keying::fixture::staff("dung"), "quang-nam-2023").await.unwrap();
            let waiting = all.iter().find(|one| one.trouble == trouble).unwrap();
            let verdict = fields(&[("dot", "quang-nam-2023"), ("verdict", "return")]);
            let back = post(&scene, &format!("/nhap-phieu/su-co/{}", waiting.id), &chi, &verdict).await;
            assert_eq!(back.status, 303);
            let page = post(&scene, "/nhap-phieu", &an, &[code(&token)]).await;
            let kept = ["name=\"a1-1\" value=\"2\"", "name=\"a1-2\" value=\".\""];
            assert!(
                page.status == 200 && kept.iter().all(|input| page.body.contains(input)),
                "{trouble}: what was typed"
            );
        }
    }
}

#[actix_web::test]
async fn a_torn_code_goes_by_its_bundle_and_number_and_an_unknown_one_is_said() {
    for scene in scenes() {
        let an = cookie(&scene, "le.an", Role::Clerk).await;
        let token = scene.code(SINGLE);
        let printed = token.expose().to_string();
        // One sign read wrongly by hand, two exchanged, one missing: the check symbol or the length says so.
        let signs: Vec<char> = printed.chars().filter(|c| *c != '-').collect();
        let wrong = if signs[5] == '7' { '8' } else { '7' };
        let mut one = signs.clone();
        one[5] = wrong;
        let short: String = signs[..23].iter().collect();
        for (typed, words) in [(one.iter().collect::<String>(), "gõ nhầm"), (short, "đã nhận được 23")] {
            let page = post(&scene, "/nhap-phieu", &an, &fields(&[("code", &typed)])).await;
            assert!(page.status == 422 && page.body.contains(words) && page.body.contains(&typed), "{words}");
        }
        let form = |more: &[(String, String)]| {
            let mut all = fields(&[("dot", "quang-nam-2023"), ("trouble", "code_unreadable"), ("group", SINGLE)]);
            all.extend_from_slice(more);
            all
        };
        let unknown = form(&fields(&[("bundle", "99"), ("sheet", "1")]));
        let page = post(&scene, "/nhap-phieu/su-co", &an, &unknown).await;
        assert!(page.status == 422 && page.body.contains("không có tờ phiếu của bó và số ấy"));
        assert!(page.body.contains("value=\"99\""), "what was typed stays");
        let done = post(&scene, "/nhap-phieu/su-co", &an, &form(&place(&scene, &token).await)).await;
        assert_eq!(done.status, 303, "{}", scene.test.backend);
        assert_eq!(post(&scene, "/nhap-phieu", &an, &[code(&token)]).await.status, 409, "set aside");
    }
}

#[actix_web::test]
async fn a_ballot_of_another_post_office_is_not_opened() {
    for scene in scenes() {
        let an = cookie(&scene, "le.an", Role::Clerk).await;
        let token = scene.code(SINGLE);
        let printed = json!({ "code": token.expose().to_string() });
        let at = scene.clock.fixed().unwrap();
        let place = |office: Option<&str>| {
            scene.write(|conn| {
                crate::bundle::office::add(conn, at, &Actor::Command, "HA", "Bưu điện Hội An").unwrap();
                let name = SignInName::parse("le.an").unwrap();
                staff::set_office(conn, at, &Actor::Command, &name, office).unwrap();
            });
        };
        place(Some("HA"));
        let page = post(&scene, "/nhap-phieu", &an, &[code(&token)]).await;
        assert!(page.status == 403 && page.body.contains("bưu điện khác") && !page.body.contains("data-keying"));
        for path in ["/keying/open", "/keying/scans/list", "/keying/scans/removals"] {
            let refused = call(&scene, path, &an, printed.clone()).await;
            let said = (refused.status, refused.json()["code"].as_str().map(str::to_owned));
            assert_eq!(said, (403, Some("keying_other_office".to_owned())), "{path}");
        }
        place(None);
        assert_eq!(post(&scene, "/nhap-phieu", &an, &[code(&token)]).await.status, 200, "{}", scene.test.backend);
    }
}
