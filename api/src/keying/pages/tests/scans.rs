//! Page images over REST, as a scanner's program and as the people of the desk.

use super::*;

const BOUNDARY: &str = "----phieu";

fn form(code: &str, pages: &[&[u8]]) -> Vec<u8> {
    let mut body =
        format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"code\"\r\n\r\n{code}\r\n").into_bytes();
    for page in pages {
        body.extend_from_slice(
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"page\"; filename=\"p\"\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(page);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

async fn attach(scene: &Scene, cookie: &str, body: Vec<u8>) -> Answer {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = TestRequest::post().uri(&format!("{PREFIX}/api/v1/keying/scans"));
    send(scene, request.insert_header(("content-type", kind)).set_payload(body), cookie).await
}

#[actix_web::test]
async fn pages_are_attached_listed_read_and_taken_away_over_rest() {
    let pdf: &[u8] = b"%PDF-1.4 one page %%EOF";
    let png: &[u8] = b"\x89PNG\r\n\x1a\n one IEND\xaeB`\x82";
    for scene in scenes() {
        let (an, chi) = (cookie(&scene, "le.an", Role::Clerk).await, cookie(&scene, "vo.chi", Role::Adjudicator).await);
        let printed = scene.code(SINGLE).expose().to_string();
        let ask =
            async |path: &str, who: &str, body: Value| call(&scene, &format!("/keying/scans{path}"), who, body).await;
        let code = json!({ "code": printed });
        let refused = |answer: &Answer| (answer.status, answer.json()["code"].as_str().unwrap().to_owned());

        assert_eq!(refused(&attach(&scene, "", form(&printed, &[pdf])).await), (401, "sign_in_required".to_owned()));
        assert_eq!(refused(&attach(&scene, &an, form("7K3Q", &[pdf])).await), (404, "code_unknown".to_owned()));
        for pages in [&[][..], &[pdf, b"GIF89a"], &[b"%PDF-1.4 cut"]] {
            assert_eq!(refused(&attach(&scene, &an, form(&printed, pages)).await), (422, "scan_invalid".to_owned()));
        }
        let large = [b"%PDF-", &vec![b'x'; 5 << 20][..], b"%%EOF"].concat();
        assert_eq!(refused(&attach(&scene, &an, form(&printed, &[&large])).await), (413, "body_too_large".to_owned()));
        let mut cut = form(&printed, &[pdf]);
        cut.truncate(cut.len() - 20);
        assert_eq!(attach(&scene, &an, cut).await.status, 400);
        assert_eq!(ask("/list", &an, code.clone()).await.json(), json!({ "pages": [] }), "nothing by halves");

        let done = attach(&scene, &an, form(&printed, &[png, pdf])).await;
        assert_eq!((done.status, done.json()), (201, json!({ "pages": 2 })), "{}", scene.test.backend);
        let lines = json!({ "pages": [
            { "media_type": "image/png", "bytes": png.len() }, { "media_type": "application/pdf", "bytes": pdf.len() },
        ] });
        assert_eq!(ask("/list", &an, code.clone()).await.json(), lines);
        let page = |page: u8| json!({ "code": printed, "page": page });
        assert_eq!(refused(&ask("/page", &an, page(2)).await), (403, "role_missing".to_owned()), "a clerk sees none");
        assert_eq!(ask("/page", &chi, page(2)).await.body.as_bytes(), pdf);
        assert_eq!(refused(&ask("/page", &chi, page(3)).await), (404, "not_found".to_owned()));
        assert_eq!(refused(&ask("/page", &chi, page(0)).await), (422, "fields_invalid".to_owned()));

        assert_eq!(ask("/removals", &an, code.clone()).await.json(), json!({ "pages": 2 }));
        assert_eq!(ask("/list", &an, code).await.json(), json!({ "pages": [] }));
    }
}
