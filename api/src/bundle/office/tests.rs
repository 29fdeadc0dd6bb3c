//! The page of post offices, as people of each role.

use actix_web::cookie::Cookie;
use actix_web::test::TestRequest;

use super::*;
use crate::access::SignInName;
use crate::ceremony::fixture::{Place, Reply, Routes, get, places};

const ROUTES: Routes = Routes { pages: crate::bundle::pages::pages, rest: crate::bundle::rest::rest, data: |_| () };
const PATH: &str = "/khao-sat/nhap-phieu/buu-dien";

async fn post(place: &Place, who: &Cookie<'static>, to: &str, fields: &[(&str, &str)]) -> Reply {
    let request = TestRequest::post().uri(&format!("{PATH}{to}")).set_form(fields).cookie(who.clone());
    place.ask(ROUTES, request).await
}

#[actix_web::test]
async fn whoever_leads_says_where_each_member_of_the_desk_works() {
    for place in places() {
        let (supervisor, clerk) = (place.session(Role::Supervisor).await, place.session(Role::Clerk).await);
        place.session(Role::Auditor).await;
        let see =
            async |who: &Cookie<'static>| place.ask(ROUTES, get("/nhap-phieu/buu-dien").cookie(who.clone())).await;
        assert_eq!(see(&clerk).await.status, 403);
        assert_eq!(post(&place, &clerk, "/nguoi", &[("name", "clerk"), ("office", "")]).await.status, 403);
        assert!(see(&supervisor).await.text().contains("Chưa có bưu điện nào"));

        for (fields, words) in [
            (&[("code", "hội an"), ("name", "Bưu điện Hội An")][..], "Mã bưu điện gồm"),
            (&[("code", "HA"), ("name", "  ")], "Xin ghi tên bưu điện"),
        ] {
            let page = post(&place, &supervisor, "", fields).await;
            assert!(page.status == 422 && page.text().contains(words), "{words}");
        }
        for name in ["Bưu điện Hội An", "Bưu điện thành phố Hội An"] {
            assert_eq!(post(&place, &supervisor, "", &[("code", " HA "), ("name", name)]).await.status, 303);
        }
        let page = see(&supervisor).await;
        assert!(page.text().contains("Bưu điện thành phố Hội An") && page.text().contains("Bưu điện của auditor"));
        assert!(!page.text().contains("Bưu điện của supervisor"), "who leads sees everything");

        let nowhere = post(&place, &supervisor, "/nguoi", &[("name", "clerk"), ("office", "QQ")]).await;
        assert!(nowhere.status == 422 && nowhere.text().contains("Không có bưu điện này"));
        for other in ["supervisor", "nobody"] {
            let refused = post(&place, &supervisor, "/nguoi", &[("name", other), ("office", "HA")]).await;
            assert_eq!(refused.status, 404, "{other}");
        }
        let office = |name: &str| {
            let all = place.test.db.read_here(workers).unwrap();
            all.into_iter().find(|one| one.name == name).unwrap().office
        };
        for wanted in [Some("HA"), None] {
            let fields = [("name", "clerk"), ("office", wanted.unwrap_or_default())];
            assert_eq!(post(&place, &supervisor, "/nguoi", &fields).await.status, 303);
            assert_eq!(office("clerk").as_deref(), wanted, "{}", place.test.backend);
        }
        let trail = place.test.db.read_here(|conn| audit::read(conn, None, 100)).unwrap();
        let set = trail.iter().filter(|e| e.action == "staff.office_set" && e.subject == "clerk");
        assert_eq!(set.count(), 2);

        // Whoever is gone is not asked for.
        let at = place.clock.fixed().unwrap();
        let name = SignInName::parse("clerk").unwrap();
        place.test.db.write_here(|conn| staff::disable(conn, at, &Actor::Command, &name)).unwrap();
        assert!(!see(&supervisor).await.text().contains("Bưu điện của clerk"));
    }
}
