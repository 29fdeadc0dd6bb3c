//! Page images: whatever they are, whole or not, for the third person alone, and gone with the cast.

use super::*;
use crate::bundle::scans;
use crate::keying::scan::{PAGE_BYTES_MAX, PAGES_MAX, ScanFault, ScanKind};

fn page(kind: ScanKind, bytes: usize) -> Vec<u8> {
    let (head, tail): (&[u8], &[u8]) = match kind {
        ScanKind::Jpeg => (&[0xff, 0xd8, 0xff, 0xe0], &[0xff, 0xd9]),
        ScanKind::Png => (b"\x89PNG\r\n\x1a\n", b"IEND\xae\x42\x60\x82"),
        ScanKind::Pdf => (b"%PDF-1.7\n", b"%%EOF\n"),
    };
    [head, &vec![b'x'; bytes], tail].concat()
}

#[test]
fn a_page_is_what_its_bytes_are() {
    for kind in [ScanKind::Jpeg, ScanKind::Png, ScanKind::Pdf] {
        let whole = page(kind, 5_000);
        assert_eq!(ScanKind::of(&whole), Ok(kind));
        assert_eq!(ScanKind::of(&whole[..3_000]), Err(ScanFault::Cut));
    }
    for other in [&b"GIF89a"[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"PK\x03\x04", b"", b"\xff\xd8"] {
        assert_eq!(ScanKind::of(other), Err(ScanFault::Kind));
    }
}

#[actix_web::test]
async fn pages_are_sealed_shown_to_the_third_person_and_gone_with_the_cast() {
    for scene in scenes() {
        let ballot = scene.bearer(&scene.code(SINGLE)).await;
        let attach = async |pages: Vec<Vec<u8>>| scene.desk.attach(&staff("an"), &ballot, pages).await;
        let fault = |done: Result<usize, KeyingError>| match done {
            Err(KeyingError::Scan(fault)) => fault,
            other => panic!("{:?}", other.ok()),
        };
        assert_eq!(fault(attach(Vec::new()).await), ScanFault::Empty);
        let small = page(ScanKind::Jpeg, 100);
        assert_eq!(fault(attach(vec![small.clone(), b"MZ".to_vec()]).await), ScanFault::Kind);
        assert_eq!(fault(attach(vec![page(ScanKind::Png, PAGE_BYTES_MAX)]).await), ScanFault::TooLarge);
        assert_eq!(fault(attach(vec![small.clone(); usize::from(PAGES_MAX) + 1]).await), ScanFault::TooMany);
        assert_eq!(scene.desk.scans(&staff("chi"), &ballot).await.unwrap().len(), 0, "nothing by halves");

        let sent = [page(ScanKind::Jpeg, 70_000), page(ScanKind::Png, 9), page(ScanKind::Pdf, 300_000)];
        assert_eq!(attach(sent[..1].to_vec()).await.unwrap(), 1);
        assert_eq!(attach(sent[1..].to_vec()).await.unwrap(), 3);
        assert!(matches!(scene.desk.scans(&staff("an"), &ballot).await, Err(KeyingError::RoleMissing)));
        let seen = scene.desk.scans(&staff("chi"), &ballot).await.unwrap();
        assert!(seen.iter().map(|scan| &scan.bytes).eq(&sent), "{}", scene.test.backend);
        let kept = scene.write(|conn| store::testing::scans(conn).unwrap());
        assert!(kept.iter().all(|body| !body.windows(8).any(|w| w == b"xxxxxxxx")));
        assert!(kept.iter().all(|body| body.len() % 65_536 == kept[0].len() % 65_536), "sizes in steps");

        assert_eq!(scene.desk.detach(&staff("an"), &ballot).await.unwrap(), 3);
        attach(sent.to_vec()).await.unwrap();
        let other = scene.bearer(&scene.code(MATRIX)).await;
        scene.desk.attach(&staff("an"), &other, vec![small.clone()]).await.unwrap();
        let entry = all(&ballot, "1");
        scene.desk.enter(&staff("an"), &ballot, Pass::First, entry.clone()).await.unwrap();
        scene.desk.enter(&staff("binh"), &ballot, Pass::Second, entry).await.unwrap();
        assert_eq!(
            scene.write(|conn| store::testing::scans(conn).unwrap().len()),
            1,
            "those of the cast ballot are gone"
        );
        assert_eq!(refusal(attach(vec![small.clone()]).await), Refusal::AlreadyCast);
        scene.write(|conn| {
            let bundle = store::testing::bundle(conn, &other.keys.public).unwrap();
            assert_eq!(scans::delete_of(conn, &bundle).unwrap(), 1, "the bundle is archived");
        });
        assert_eq!(scene.desk.scans(&staff("chi"), &other).await.unwrap().len(), 0);
    }
}
