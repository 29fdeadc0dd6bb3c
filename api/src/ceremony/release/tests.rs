//! Releases by two persons, on both databases.

use actix_web::cookie::Cookie;
use actix_web::test::TestRequest;

use super::*;
use crate::access::Role;
use crate::ballot::log::entry::Entry;
use crate::ballot::log::{self, LogError};
use crate::ceremony::fixture::{BY, Place, ROUND, Reply, Routes, get, places};

const ROUTES: Routes = Routes { pages, rest: |_| (), data: |_| () };
const REASON: &str = "Kết luận thanh tra số 12: cán bộ Sở được hướng dẫn chọn cùng một phương án.";

fn staff(name: &str) -> Actor {
    Actor::Staff(name.to_owned())
}

fn without(group: &str, target: &str) -> Draft {
    let left_out = LeftOut { respondent_code: Some(group.into()), target: Some(target.into()), item_code: None };
    Draft { reason: REASON.to_owned(), left_out: vec![left_out] }
}

fn results_in_log(place: &Place) -> Vec<u64> {
    let read = |conn: &mut Conn| {
        let size = log::head(conn, ROUND)?.checkpoint.size;
        let mut releases = Vec::new();
        for tile in log::tile::Tile::all(size).filter(|t| t.kind == log::tile::Kind::Entries) {
            let body = log::tile(conn, ROUND, &tile)?.unwrap();
            for leaf in log::tile::leaves(&body).unwrap() {
                if let Some(Entry::Result { release, .. }) = Entry::parse(leaf) {
                    releases.push(release);
                }
            }
        }
        Ok::<_, LogError>(releases)
    };
    place.test.db.read_here(read).unwrap()
}

#[test]
fn the_first_release_takes_two_persons_and_its_date() {
    for mut place in places() {
        let propose = |place: &Place| place.ceremony.propose_release(&staff("lan"), ROUND, &Draft::default());
        assert!(matches!(propose(&place), Err(ActError::OutOfOrder { .. })));
        place.until_opened();
        let premature = without("CC-CT", "SNV");
        let refused = place.ceremony.propose_release(&staff("lan"), ROUND, &premature);
        assert!(matches!(refused, Err(ActError::Release(ReleaseError::Reason))), "the first says no reason");

        let proposal = propose(&place).unwrap();
        let confirm = |by: &str, digest: &str| {
            place.ceremony.confirm_release(&staff(by), &proposal.id, digest, Timing::OnTime).map(|p| p.release)
        };
        assert!(matches!(confirm("minh", &proposal.digest), Err(ActError::TooEarly(_))));
        place.wait_for_publication();
        assert!(matches!(confirm("lan", &proposal.digest), Err(ActError::Release(ReleaseError::SamePerson))));
        assert!(matches!(confirm("minh", &"0".repeat(64)), Err(ActError::Release(ReleaseError::Changed))));
        assert!(matches!(propose(&place), Err(ActError::Release(ReleaseError::Waits))));
        let alone = place.ceremony.publish(&BY, ROUND, Timing::OnTime);
        assert!(matches!(alone, Err(ActError::Release(ReleaseError::Waits))), "not past two who are at it");
        assert!(place.released().is_empty());

        assert_eq!(confirm("minh", &proposal.digest).unwrap(), 1);
        assert!(matches!(confirm("minh", &proposal.digest), Err(ActError::Release(ReleaseError::Settled))));
        assert_eq!((place.released().len(), results_in_log(&place)), (1, vec![1]));
        assert!(place.trail()["round.published"].contains("proposed_by=staff:lan"));
    }
}

#[test]
fn a_correction_is_a_new_release_and_the_old_one_stays() {
    for mut place in places() {
        place.until_published();
        let first = place.released();
        let propose = |draft: &Draft| place.ceremony.propose_release(&staff("lan"), ROUND, draft);
        let refused = |draft: &Draft| match propose(draft) {
            Err(ActError::Release(error)) => error.code().name,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&Draft { reason: REASON.into(), ..Draft::default() }), "correction_empty");
        assert_eq!(refused(&Draft { reason: "sai".into(), ..without("CC-CT", "SNV") }), "correction_reason");
        assert_eq!(refused(&without("CC-XX", "SNV")), "correction_unknown");
        let of = |out: LeftOut| Draft { reason: REASON.to_owned(), left_out: vec![out] };
        let hidden = place.group_about_target(false);
        assert_eq!(refused(&of(hidden)), "correction_reveals", "what a few people said would be known");
        assert_eq!(place.released(), first, "nothing has changed");

        let shown = place.group_about_target(true);
        let proposal = propose(&of(shown.clone())).unwrap();
        assert_eq!(proposal.release, 2);
        let published =
            place.ceremony.confirm_release(&staff("minh"), &proposal.id, &proposal.digest, Timing::OnTime).unwrap();
        let all = place.released();
        assert_eq!((all.len(), &all[0], published.release), (2, &first[0], 2));
        let correction = all[1].correction.as_ref().unwrap();
        assert_eq!((correction.reason.as_str(), &correction.left_out), (REASON, &vec![shown.clone()]));
        assert_eq!(results_in_log(&place), [1, 2]);
        let (changed, others) = scoring::changes(&all[0], &all[1]);
        assert!(changed.iter().any(|c| Some(&c.target) == shown.target.as_ref()) && others > 0);
        assert!(place.trail()["round.corrected"].starts_with("release=2 "));
        // A proposal that waits can be withdrawn, and no longer confirmed.
        let back = propose(&Draft { reason: REASON.into(), ..Draft::default() }).unwrap();
        place.ceremony.withdraw_release(&staff("minh"), &back.id).unwrap();
        let late = place.ceremony.confirm_release(&staff("minh"), &back.id, &back.digest, Timing::OnTime);
        assert!(matches!(late, Err(ActError::Release(ReleaseError::Settled))));
    }
}

async fn read(place: &Place, who: &Cookie<'static>) -> Reply {
    place.ask(ROUTES, get(&format!("/quan-tri/cong-bo/{ROUND}")).cookie(who.clone())).await
}

async fn post(place: &Place, who: &Cookie<'static>, path: &str, fields: &[(&str, &str)]) -> Reply {
    let request = TestRequest::post().uri(&format!("/khao-sat{path}")).set_form(fields);
    place.ask(ROUTES, request.cookie(who.clone())).await
}

/// The value of the form's hidden field, and the proposal's id in the address.
fn asked(page: &Reply) -> (String, String) {
    let text = page.text();
    let behind = |mark: &str, length: usize| {
        let at = text.find(mark).expect(mark) + mark.len();
        text[at..at + length].to_owned()
    };
    (behind("/quan-tri/de-xuat-cong-bo/", 36), behind("name=\"digest\" value=\"", 64))
}

#[actix_web::test]
async fn the_pages_lead_two_persons_through_a_release_and_a_correction() {
    for mut place in places() {
        place.until_opened();
        place.wait_for_publication();
        let (one, other) = (place.session(Role::Administrator).await, place.session(Role::Supervisor).await);
        let path = format!("/quan-tri/cong-bo/{ROUND}");
        assert!(read(&place, &one).await.text().contains("Đề nghị công bố"));
        assert!(!read(&place, &other).await.text().contains("<button>Đề nghị công bố"), "a supervisor only confirms");
        assert_eq!(post(&place, &other, &path, &[]).await.status, 403);
        assert_eq!(post(&place, &one, &path, &[]).await.status, 303);
        let own = read(&place, &one).await;
        assert!(own.text().contains("phải do một quản trị viên hoặc phụ trách điều tra khác làm"));
        let page = read(&place, &other).await;
        assert!(page.text().contains("Bản 1 đang chờ xác nhận"));
        for target in place.definition().targets.iter().take(3) {
            assert!(!page.text().contains(&target.name), "no score of anybody before it is out");
        }
        let (id, digest) = asked(&page);
        let confirm = format!("/quan-tri/de-xuat-cong-bo/{id}/xac-nhan");
        assert_eq!(post(&place, &one, &confirm, &[("digest", &digest)]).await.status, 409, "not by the proposer");
        assert_eq!(post(&place, &other, &confirm, &[("digest", &digest)]).await.status, 303);
        assert_eq!(place.released().len(), 1);

        let codes = |out: LeftOut| (out.respondent_code.unwrap(), out.target.unwrap());
        let (group, target) = codes(place.group_about_target(false));
        let fields = [("ly-do", REASON), ("nhom-1", &group), ("co-quan-1", &target)];
        let refused = post(&place, &one, &path, &fields).await;
        assert_eq!(refused.status, 409);
        let text = refused.text();
        assert!(text.contains("làm lộ ý kiến của một nhóm nhỏ") && text.contains(&format!("nhóm {group}")), "{text}");
        assert!(text.contains(REASON), "what was typed is still there");
        let (group, target) = codes(place.group_about_target(true));
        let fields = [("ly-do", REASON), ("nhom-2", &group), ("co-quan-2", &target)];
        let proposed = post(&place, &one, &path, &fields).await;
        assert_eq!(proposed.status, 303, "{}", proposed.text());
        let page = read(&place, &other).await;
        let target = place.definition().target(&target).unwrap().name.clone();
        let range = format!("nhóm {group}; {target}; mọi tiêu chí");
        for words in ["Bản 2 đang chờ xác nhận", REASON, &range] {
            assert!(page.text().contains(words), "{words}");
        }
        let (id, digest) = asked(&page);
        let confirm = format!("/quan-tri/de-xuat-cong-bo/{id}/xac-nhan");
        assert_eq!(post(&place, &other, &confirm, &[("digest", &digest)]).await.status, 303);
        assert!(read(&place, &one).await.text().contains("Bản 2</strong>"));
    }
}
