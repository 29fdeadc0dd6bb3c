//! Ballots with every kind of question, keyed on the pages.

use super::*;

/// What the two clerks type, by item 1 to 5 of each target: single, scale, multiple, number, text.
const PAPER: [[&str; 5]; 2] = [["1", "2", "31", "12,50", "Trả kết quả  đúng hẹn"], ["2", ".", "*", "/", "."]];

fn keys(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut keys = Vec::new();
    for (items, target) in PAPER.iter().zip(1..) {
        for (typed, number) in items.iter().zip(1..) {
            let name = format!("a{target}-{number}");
            let typed = changes.iter().find(|(at, _)| *at == name).map_or(*typed, |(_, typed)| typed);
            keys.push((name, typed.to_owned()));
        }
    }
    keys
}

fn cast(scene: &Scene) -> Value {
    let mut ballots = scene.box_content();
    assert_eq!(ballots.len(), 1, "{}", scene.test.backend);
    ballots.remove(0).answers.to_value()
}

fn on_paper(text: &str) -> Value {
    let blank = json!({"mark": "blank"});
    json!({
        "SNV": {"Q0": "CO", "Q1": "B", "Q0B": ["TT", "TIEP"], "Q0A": {"number": "12.5"}, "Q3": {"text": text}},
        "STP": {"Q0": "KHONG", "Q1": blank, "Q0B": {"mark": "several"}, "Q0A": {"mark": "illegible"}, "Q3": blank},
    })
}

#[actix_web::test]
async fn two_equal_passes_of_every_kind_are_cast() {
    for scene in scenes_of_every_kind() {
        let (an, binh) = (cookie(&scene, "le.an", Role::Clerk).await, cookie(&scene, "do.binh", Role::Clerk).await);
        let token = scene.code(MIXED);
        let sheet = post(&scene, "/nhap-phieu", &an, &[code(&token)]).await;
        assert_eq!(sheet.status, 200, "{}", sheet.body);
        for part in [
            "data-scale=\":CK\"",
            "data-scale=\"M4\"",
            "data-kind=\"multiple\"",
            "data-kind=\"number\"",
            "data-decimals=\"1\"",
            "data-kind=\"text\"",
            "maxlength=\"200\"",
            "(số từ 0; nhiều nhất 1 chữ số sau dấu phẩy)",
        ] {
            assert!(sheet.body.contains(part), "{part}");
        }
        let text = sheet.body.split("<input").find(|input| input.contains("data-kind=\"text\"")).unwrap();
        assert!(!text.split('>').next().unwrap().contains("inputmode"), "an ordinary text field");

        let done = post(&scene, "/nhap-phieu/luot", &an, &entry(&token, "first", keys(&[]))).await;
        assert_eq!((done.status, done.location.as_str()), (303, "/khao-sat/nhap-phieu?kq=luot-1"), "{}", done.body);
        // The same paper, typed another way: order, decimal sign, blanks, NFD.
        let other = [
            ("a1-3", "1 3"),
            ("a1-4", "12.5"),
            ("a1-5", " Tra\u{309} kê\u{301}t qua\u{309} \u{111}u\u{301}ng he\u{323}n "),
        ];
        let done = post(&scene, "/nhap-phieu/luot", &binh, &entry(&token, "second", keys(&other))).await;
        assert_eq!((done.status, done.location.as_str()), (303, "/khao-sat/nhap-phieu?kq=khop"), "{}", done.body);
        assert_eq!(cast(&scene), on_paper("Trả kết quả đúng hẹn"));
    }
}

#[actix_web::test]
async fn what_cannot_be_is_said_by_its_kind_and_nothing_is_lost() {
    for scene in scenes_of_every_kind() {
        let an = cookie(&scene, "le.an", Role::Clerk).await;
        let token = scene.code(MIXED);
        let long = "a".repeat(201);
        let wrong = [("a1-1", "3"), ("a1-2", ""), ("a1-3", "11"), ("a1-4", "1,25"), ("a2-4", "-1"), ("a1-5", &long)];
        let sheet = post(&scene, "/nhap-phieu/luot", &an, &entry(&token, "first", keys(&wrong))).await;
        assert_eq!(sheet.status, 422);
        for said in [
            "mã không có trong thang hoặc danh sách",
            "chưa có mã",
            "một số được gõ hai lần",
            "nhiều chữ số thập phân",
            "số ngoài khoảng cho phép",
            "dài hơn số ký tự cho phép",
        ] {
            assert!(sheet.body.matches(said).count() >= 2, "{said}: in the summary and beside its input");
        }
        assert!(sheet.body.contains(&format!("value=\"{long}\"")) && sheet.body.contains("value=\"1,25\""));
    }
}

#[actix_web::test]
async fn different_words_and_numbers_go_to_a_third_person() {
    for scene in scenes_of_every_kind() {
        let (an, binh) = (cookie(&scene, "le.an", Role::Clerk).await, cookie(&scene, "do.binh", Role::Clerk).await);
        let chi = cookie(&scene, "vu.chi", Role::Adjudicator).await;
        let token = scene.code(MIXED);
        post(&scene, "/nhap-phieu/luot", &an, &entry(&token, "first", keys(&[]))).await;
        let other = [("a1-3", "13"), ("a1-4", "12,6"), ("a1-5", "Trả kết quả đúng hẹn."), ("a2-3", "2")];
        let done = post(&scene, "/nhap-phieu/luot", &binh, &entry(&token, "second", keys(&other))).await;
        assert_eq!(done.location, "/khao-sat/nhap-phieu?kq=lech-3", "{}", done.body);

        let mut blind = vec![code(&token)];
        for (name, typed) in [("a1-4", "12,5"), ("a1-5", "Trả kết quả đúng hẹn!"), ("a2-3", "*")] {
            blind.push((name.to_owned(), typed.to_owned()));
        }
        let page = post(&scene, "/nhap-phieu/doc", &chi, &blind).await;
        assert_eq!(page.status, 200);
        for shown in
            ["12,5 ", "12,6 ", "Trả kết quả đúng hẹn ", "Trả kết quả đúng hẹn. ", "* (nhiều dấu)", "2 Bưu chính"]
        {
            assert!(page.body.contains(&format!("<b>{shown}")), "{shown}");
        }
        assert!(page.body.contains("data-kind=\"text\"") && page.body.contains("name=\"ra1-5\""));
        let mut fields = vec![code(&token)];
        for (name, typed) in [("a1-4", "12,5"), ("a1-5", "Trả kết quả đúng hẹn!"), ("a2-3", "x")] {
            fields.push((name.to_owned(), typed.to_owned()));
            fields.push((format!("r{name}"), "slip_both".to_owned()));
        }
        let refused = post(&scene, "/nhap-phieu/phan-xu", &chi, &fields).await;
        assert!(refused.status == 422 && refused.body.contains("value=\"Trả kết quả đúng hẹn!\""));
        for field in fields.iter_mut().filter(|(name, _)| name == "a2-3") {
            field.1 = "*".to_owned();
        }
        let done = post(&scene, "/nhap-phieu/phan-xu", &chi, &fields).await;
        assert_eq!(done.location, "/khao-sat/nhap-phieu?kq=phan-xu", "{}", done.body);
        assert_eq!(cast(&scene), on_paper("Trả kết quả đúng hẹn!"));
    }
}

/// Programs send texts with line breaks; clerks cannot type them.
#[actix_web::test]
async fn an_entry_sent_by_a_program_matches_one_keyed_on_the_page() {
    for scene in scenes_of_every_kind() {
        let (an, binh) = (cookie(&scene, "le.an", Role::Clerk).await, cookie(&scene, "do.binh", Role::Clerk).await);
        let token = scene.code(MIXED);
        post(&scene, "/nhap-phieu/luot", &an, &entry(&token, "first", keys(&[]))).await;
        let sent = json!({"code": *token.expose(), "pass": "second", "answers": on_paper("Trả kết quả\n đúng hẹn")});
        let done = call(&scene, "/keying/entries", &binh, sent).await;
        assert_eq!((done.status, done.json()["state"].as_str()), (201, Some("cast")), "{}", done.body);
        assert_eq!(cast(&scene), on_paper("Trả kết quả đúng hẹn"));
    }
}
