//! The table of papers that were set aside.

use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::{Referral, Standing, Trouble};
use crate::db::Conn;
use crate::db::schema::paper_referral;

pub(super) fn insert(
    conn: &mut Conn,
    id: &str,
    round: &str,
    place: Option<(&str, u32)>,
    trouble: Trouble,
    remark: &str,
    by: &str,
) -> QueryResult<()> {
    let row = (
        paper_referral::id.eq(id),
        paper_referral::round.eq(round),
        paper_referral::bundle.eq(place.map(|(bundle, _)| bundle)),
        paper_referral::sheet.eq(place.map(|(_, sheet)| i64::from(sheet))),
        paper_referral::trouble.eq(trouble.as_str()),
        paper_referral::remark.eq(remark),
        paper_referral::state.eq(Standing::Waiting.as_str()),
        paper_referral::referred_by.eq(by),
    );
    diesel::insert_into(paper_referral::table).values(row).execute(conn).map(|_| ())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    round: String,
    #[diesel(sql_type = Nullable<Text>)]
    bundle: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    respondent_code: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    sheet: Option<i64>,
    #[diesel(sql_type = Text)]
    trouble: String,
    #[diesel(sql_type = Text)]
    remark: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    verdict: String,
    #[diesel(sql_type = Text)]
    referred_by: String,
    #[diesel(sql_type = Nullable<Text>)]
    proposed_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    confirmed_by: Option<String>,
}

const SELECT: &str = "SELECT r.id, r.round, r.bundle, b.respondent_code, b.number, r.sheet, r.trouble, r.remark, r.state, \
                      r.verdict, f.name AS referred_by, p.name AS proposed_by, c.name AS confirmed_by \
                      FROM paper_referral r JOIN staff f ON f.id = r.referred_by LEFT JOIN bundle b ON b.id = r.bundle \
                      LEFT JOIN staff p ON p.id = r.proposed_by LEFT JOIN staff c ON c.id = r.confirmed_by WHERE ";

fn parse(row: Row) -> QueryResult<Referral> {
    let unreadable = || Error::DeserializationError("paper_referral".into());
    let number = |n: Option<i64>| n.and_then(|n| u32::try_from(n).ok());
    let sheet = number(row.sheet);
    let place = match (&row.respondent_code, number(row.number), sheet) {
        (Some(group), Some(bundle), Some(sheet)) => format!("{group} · Bó {bundle:02} · phiếu {sheet}"),
        (Some(group), Some(bundle), None) => format!("{group} · Bó {bundle:02}"),
        _ => String::new(),
    };
    Ok(Referral {
        id: row.id,
        round: row.round,
        place,
        bundle: row.bundle,
        sheet,
        trouble: Trouble::parse(&row.trouble).ok_or_else(unreadable)?,
        remark: row.remark,
        standing: Standing::parse(&row.state).ok_or_else(unreadable)?,
        verdict: row.verdict,
        referred_by: row.referred_by,
        proposed_by: row.proposed_by,
        confirmed_by: row.confirmed_by,
    })
}

fn load(conn: &mut Conn, by: &str, value: &str) -> QueryResult<Vec<Referral>> {
    let query = diesel::sql_query(format!("{SELECT}{by} = $1")).bind::<Text, _>(value);
    let rows: Vec<Row> = match conn {
        Conn::Sqlite(c) => query.load(c)?,
        Conn::Postgres(c) => query.load(c)?,
    };
    rows.into_iter().map(parse).collect()
}

pub(super) fn one(conn: &mut Conn, id: &str) -> QueryResult<Option<Referral>> {
    Ok(load(conn, "r.id", id)?.pop())
}

pub(super) fn all(conn: &mut Conn, round: &str) -> QueryResult<Vec<Referral>> {
    load(conn, "r.round", round)
}

pub(super) fn judge(conn: &mut Conn, id: &str, standing: Standing, said: &str, by: &str) -> QueryResult<()> {
    diesel::update(paper_referral::table.find(id))
        .set((
            paper_referral::state.eq(standing.as_str()),
            paper_referral::verdict.eq(said),
            paper_referral::proposed_by.eq(by),
        ))
        .execute(conn)
        .map(|_| ())
}

/// Id of whoever proposed that the ballot is void; none while nobody has.
pub(super) fn proposed_by(conn: &mut Conn, id: &str) -> QueryResult<Option<String>> {
    paper_referral::table
        .find(id)
        .filter(paper_referral::state.eq(Standing::Proposed.as_str()))
        .select(paper_referral::proposed_by)
        .first(conn)
        .optional()
        .map(Option::flatten)
}

pub(super) fn confirm(conn: &mut Conn, id: &str, by: &str) -> QueryResult<()> {
    diesel::update(paper_referral::table.find(id))
        .set((paper_referral::state.eq(Standing::Invalid.as_str()), paper_referral::confirmed_by.eq(by)))
        .execute(conn)
        .map(|_| ())
}

/// What waited about a sheet that is keyed anew is settled by it.
pub(super) fn settle_open(conn: &mut Conn, bundle: &str, sheet: u32, by: &str) -> QueryResult<()> {
    let open = [Standing::Waiting.as_str(), Standing::Proposed.as_str()];
    diesel::update(
        paper_referral::table
            .filter(paper_referral::bundle.eq(bundle).and(paper_referral::sheet.eq(i64::from(sheet))))
            .filter(paper_referral::state.eq_any(open)),
    )
    .set((paper_referral::state.eq(Standing::Reopened.as_str()), paper_referral::proposed_by.eq(by)))
    .execute(conn)
    .map(|_| ())
}
