//! `/quan-tri/danh-sach`: a list is uploaded, its columns are told apart, its faults are read or downloaded, and what is
//! without a fault is imported.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::TimeDelta;
use serde::Deserialize;
use survey_forms::roster::grid::Line;
use survey_forms::roster::{Field, Grid, Invited, List, Mapping, RowFault, check, grid};
use survey_forms::round::{IssueMode, Round};

use super::{Change, column_name, dry_run, import, store, upload, words, write_faults};
use crate::access::{Signed, Supervising, audit};
use crate::clock::Entropy;
use crate::credential::CredentialError;
use crate::db::{Conn, Db, unix_ms};
use crate::http::frame::{Frame, Site, page, render, see_other};
use crate::http::{Problem, codes};
use crate::round::{LoadedRound, RoundState, Rounds};

const AT: &str = "/quan-tri/danh-sach";
/// Faults and people on the page; all faults are in the file.
const FAULTS_SHOWN: usize = 100;
const PEOPLE_SHOWN: usize = 8;
/// Lines of the file that are shown as they stand, and letters of a cell.
const LINES_SHOWN: usize = 8;
const CELL_SHOWN: usize = 32;
/// Columns that are shown; all of them can be chosen.
const COLUMNS_SHOWN: usize = 16;
/// How long a list waits.
const WAITS: TimeDelta = TimeDelta::days(1);

/// The pages of this part of the room.
pub(crate) fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource(AT).get(start).post(receive))
        .service(web::resource("/quan-tri/danh-sach/{id}").get(review).post(choose))
        .route("/quan-tri/danh-sach/{id}/loi.csv", web::get().to(faults_file))
        .route("/quan-tri/danh-sach/{id}/nhap", web::post().to(confirm))
        .route("/quan-tri/danh-sach/{id}/bo", web::post().to(discard));
}

/// A group that can be chosen.
struct Choice {
    code: String,
    name: String,
    chosen: bool,
}

/// A round that takes lists.
struct RoundChoice {
    id: String,
    title: String,
    groups: Vec<(String, String, &'static str)>,
}

#[derive(Template)]
#[template(path = "credential/roster.html")]
struct StartPage {
    frame: Frame,
    fault: Option<String>,
    said: Option<String>,
    limit_mib: usize,
    rounds: Vec<RoundChoice>,
}

/// The first lines of a file as they stand, each column under its letter and what it is taken for.
struct Raw {
    columns: Vec<(String, &'static str)>,
    /// Number, whether the headings end here, and the cells.
    lines: Vec<(u32, bool, Vec<String>)>,
}

impl Raw {
    fn of(grid: &Grid, mapping: &Mapping) -> Self {
        let meaning = |column: usize| {
            let taken = Field::ALL.into_iter().find(|field| mapping.column(*field) == Some(column));
            taken.map_or("", Field::vietnamese)
        };
        let width = grid.width().min(COLUMNS_SHOWN);
        let columns = (0..width).map(|column| (grid::letters(column), meaning(column))).collect();
        // The headings and some people, however long the title above them is.
        let heading = mapping.heading.unwrap_or(0);
        let above = grid.lines.iter().take_while(|line| line.number < heading).count();
        let lines = grid.lines.iter().skip((above + 1).saturating_sub(LINES_SHOWN / 2)).take(LINES_SHOWN);
        let shown = |text: String| {
            let mut short: String = text.chars().take(CELL_SHOWN).collect();
            if text.chars().nth(CELL_SHOWN).is_some() {
                short.push('…');
            }
            short
        };
        let cells = |line: &Line| (0..width).map(|column| shown(line.text(column))).collect();
        let lines = lines.map(|line| (line.number, line.number == heading, cells(line))).collect();
        Self { columns, lines }
    }
}

/// A field and the columns that it may be.
struct FieldChoice {
    key: &'static str,
    name: &'static str,
    columns: Vec<(String, String, bool)>,
}

#[derive(Template)]
#[template(path = "credential/roster_review.html")]
struct ReviewPage {
    frame: Frame,
    /// What is wrong with the columns that were chosen.
    fault: Option<&'static str>,
    raw: Raw,
    id: String,
    title: String,
    file: String,
    lines: usize,
    heading: String,
    groups: Vec<Choice>,
    fields: Vec<FieldChoice>,
    /// Unit, name, address and group of the first people.
    people: Vec<(String, String, String, String)>,
    people_more: usize,
    change: Option<Change>,
    faults: Vec<RowFault>,
    faults_count: usize,
}

fn takes_lists(round: &LoadedRound) -> bool {
    matches!(round.state, RoundState::Loaded | RoundState::Open)
}

fn mode(issue: IssueMode) -> &'static str {
    match issue {
        IssueMode::Draw => "bốc thăm: chỉ giữ số người",
        IssueMode::Addressed => "gửi thư từng người",
    }
}

async fn shown(
    signed: &Signed<Supervising>,
    db: &Db,
    rounds: &Rounds,
    site: &Site,
    fault: Option<String>,
    said: Option<String>,
) -> Result<StartPage, Problem> {
    let rounds = rounds.clone();
    let rounds = db.read(move |conn| rounds.all(conn)).await?;
    let choice = |round: &LoadedRound| RoundChoice {
        id: round.id().to_owned(),
        title: round.definition.title.clone(),
        groups: round.definition.groups.iter().map(|g| (g.code.clone(), g.name.clone(), mode(g.issue))).collect(),
    };
    let title = if fault.is_some() {
        "Lỗi: Danh sách người được mời"
    } else {
        "Danh sách người được mời"
    };
    Ok(StartPage {
        frame: site.frame(title).with_staff(signed.bar()),
        fault,
        said,
        limit_mib: grid::BYTES_MAX >> 20,
        rounds: rounds.iter().filter(|r| takes_lists(r)).map(|r| choice(r)).collect(),
    })
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    nhap: Option<u64>,
}

async fn start(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
    said: web::Query<Said>,
) -> Result<HttpResponse, Problem> {
    let said = said.nhap.map(|people| format!("Đã nhập danh sách {people} người."));
    Ok(page(&shown(&signed, &db, &rounds, &site, None, said).await?))
}

async fn receive(
    req: HttpRequest,
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    entropy: web::Data<Entropy>,
    site: web::Data<Site>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let sent = upload::receive(&req, payload).await?;
    let (round, group) = sent
        .words
        .get("nhom")
        .and_then(|chosen| chosen.split_once('/'))
        .map(|(round, group)| (round.to_owned(), Some(group.to_owned()).filter(|g| !g.is_empty())))
        .ok_or_else(|| Problem::new(&codes::BODY_MALFORMED))?;
    let (file, body) = sent.file.ok_or_else(|| Problem::new(&codes::BODY_MALFORMED))?;
    let read = web::block(move || Grid::read(&body).map(|grid| (Mapping::guess(&grid).words(), body)))
        .await
        .map_err(|cancelled| Problem::internal(&cancelled))?;
    let (mapping, body) = match read {
        Ok(read) => read,
        Err(error) => {
            let page = shown(&signed, &db, &rounds, &site, Some(error.0), None).await?;
            return Ok(render(StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
    };
    let (rounds, clock, by) = (Rounds::clone(&rounds), db.clone(), signed.staff().name.clone());
    let id = entropy.uuid().simple().to_string();
    let row = id.clone();
    db.write(move |conn| {
        let loaded = rounds.get(conn, &round)?;
        if !takes_lists(&loaded) {
            return Err(Problem::new(&codes::STATE_CONFLICT));
        }
        if group.as_deref().is_some_and(|code| loaded.definition.group(code).is_none()) {
            return Err(Problem::new(&codes::GROUP_UNKNOWN));
        }
        let now = clock.now(conn)?;
        store::delete_stale(conn, &by, unix_ms(&(now - WAITS)))?;
        store::insert_upload(
            conn,
            &store::Upload {
                id: row,
                round,
                respondent_code: group,
                file,
                mapping,
                body,
                uploaded_by: by,
                uploaded_at: unix_ms(&now),
            },
        )?;
        Ok(())
    })
    .await?;
    Ok(see_other(&site.base().path(&format!("{AT}/{id}"))))
}

/// A list as it stands: what it says, or what is wrong with it.
struct Waiting {
    upload: store::Upload,
    round: std::sync::Arc<LoadedRound>,
    grid: Grid,
    mapping: Mapping,
    list: Result<(List, Change), Vec<RowFault>>,
}

/// One's own list; somebody else's is not there.
fn waiting(conn: &mut Conn, rounds: &Rounds, id: &str, by: &str) -> Result<Waiting, Problem> {
    let upload = store::upload(conn, id, by)?.ok_or_else(|| Problem::new(&codes::NOT_FOUND))?;
    let round = rounds.get(conn, &upload.round)?;
    let grid = Grid::read(&upload.body).map_err(|error| Problem::internal(&error))?;
    let mapping = Mapping::default().with(&upload.mapping, &grid).unwrap_or_else(|_part| Mapping::guess(&grid));
    let list = check(&grid, &mapping, &round.definition, upload.respondent_code.as_deref());
    let list = match list {
        Err(faults) => Err(faults),
        Ok(list) => match dry_run(conn, &round, &list) {
            Ok(change) => Ok((list, change)),
            Err(CredentialError::List(faults)) => Err(faults),
            Err(error) => return Err(error.into()),
        },
    };
    Ok(Waiting { upload, round, grid, mapping, list })
}

async fn own(signed: &Signed<Supervising>, db: &Db, rounds: &Rounds, id: String) -> Result<Waiting, Problem> {
    let (rounds, by) = (rounds.clone(), signed.staff().name.clone());
    db.read(move |conn| waiting(conn, &rounds, &id, &by)).await
}

async fn review(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let found = own(&signed, &db, &rounds, id.into_inner()).await?;
    Ok(page(&review_page(site.frame("Xem lại danh sách").with_staff(signed.bar()), found)))
}

fn review_page(frame: Frame, found: Waiting) -> ReviewPage {
    let Waiting { upload, round, grid, mapping, list } = found;
    let definition = &round.definition;
    let mut groups = vec![Choice {
        code: String::new(),
        name: "theo cột mã phiếu của danh sách".to_owned(),
        chosen: upload.respondent_code.is_none(),
    }];
    groups.extend(definition.groups.iter().map(|group| Choice {
        code: group.code.clone(),
        name: format!("{} · {}", group.code, group.name),
        chosen: upload.respondent_code.as_ref() == Some(&group.code),
    }));
    let field = |field: Field| FieldChoice {
        key: field.key(),
        name: field.vietnamese(),
        columns: (0..grid.width())
            .map(|c| (grid::letters(c), column_name(&grid, &mapping, c), mapping.column(field) == Some(c)))
            .collect(),
    };
    let fields = Field::ALL.into_iter().map(field).collect();
    let (people, change, faults) = match list {
        Ok((List::People(people), change)) => (people, Some(change), Vec::new()),
        Ok((List::Counts(_), change)) => (Vec::new(), Some(change), Vec::new()),
        Err(faults) => (Vec::new(), None, faults),
    };
    ReviewPage {
        frame,
        fault: None,
        raw: Raw::of(&grid, &mapping),
        id: upload.id,
        title: definition.title.clone(),
        file: upload.file,
        lines: grid.lines.len(),
        heading: mapping.heading.map(|number| number.to_string()).unwrap_or_default(),
        groups,
        fields,
        people_more: people.len().saturating_sub(PEOPLE_SHOWN),
        people: people.iter().take(PEOPLE_SHOWN).map(|one| person(definition, one)).collect(),
        change,
        faults_count: faults.len(),
        faults: faults.into_iter().take(FAULTS_SHOWN).collect(),
    }
}

fn person(round: &Round, one: &Invited) -> (String, String, String, String) {
    let unit = round.unit(&one.unit_code).map_or("", |unit| unit.name.as_str()).to_owned();
    (unit, one.name.clone(), one.email.clone().unwrap_or_default(), one.respondent_code.clone())
}

/// The columns as they were chosen: `heading`, `nhom`, and a letter for each field's key.
async fn choose(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
    id: web::Path<String>,
    form: web::Form<std::collections::BTreeMap<String, String>>,
) -> Result<HttpResponse, Problem> {
    let id = id.into_inner();
    let found = own(&signed, &db, &rounds, id.clone()).await?;
    let word = |key: &str| form.get(key).map(|word| word.trim().replace([',', '='], "")).unwrap_or_default();
    let mut words: Vec<String> = Field::ALL.into_iter().map(|f| format!("{}={}", f.key(), word(f.key()))).collect();
    if !word("heading").is_empty() {
        words.insert(0, format!("heading={}", word("heading")));
    }
    let refused = |fault, found| {
        let shown = review_page(site.frame("Lỗi: Xem lại danh sách").with_staff(signed.bar()), found);
        Ok(render(StatusCode::UNPROCESSABLE_ENTITY, &ReviewPage { fault: Some(fault), ..shown }))
    };
    let Ok(mapping) = Mapping::default().with(&words.join(","), &found.grid) else {
        return refused(
            "Dòng tiêu đề phải là số của một dòng, và mỗi cột phải có trong tệp. Chưa có gì thay đổi.",
            found,
        );
    };
    let chosen: Vec<usize> = mapping.columns.values().copied().collect();
    if chosen.iter().collect::<std::collections::BTreeSet<_>>().len() < chosen.len() {
        return refused("Một cột được chọn cho hai mục. Xin chọn mỗi cột một lần. Chưa có gì thay đổi.", found);
    }
    let group = Some(word("nhom")).filter(|code| !code.is_empty());
    if group.as_deref().is_some_and(|code| found.round.definition.group(code).is_none()) {
        return Err(Problem::new(&codes::GROUP_UNKNOWN));
    }
    let (row, words) = (id.clone(), mapping.words());
    db.write(move |conn| Ok::<_, Problem>(store::set_mapping(conn, &row, &words, group.as_deref())?)).await?;
    Ok(see_other(&site.base().path(&format!("{AT}/{id}"))))
}

async fn faults_file(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let found = own(&signed, &db, &rounds, id.into_inner()).await?;
    let mut body = Vec::new();
    write_faults(&mut body, &found.list.err().unwrap_or_default()).map_err(|error| Problem::internal(&error))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"loi-danh-sach.csv\""))
        .body(body))
}

async fn confirm(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    entropy: web::Data<Entropy>,
    site: web::Data<Site>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, actor, by) = (id.into_inner(), signed.actor(), signed.staff().name.clone());
    let (rounds, entropy, clock) = (Rounds::clone(&rounds), Entropy::clone(&entropy), db.clone());
    let back = id.clone();
    let done = db
        .write(move |conn| {
            let found = waiting(conn, &rounds, &id, &by)?;
            let Ok((list, _)) = found.list else { return Ok(None) };
            let change = import(conn, &found.round, &list, &entropy)?;
            store::delete_upload(conn, &id)?;
            let now = clock.now(conn)?;
            audit::record(conn, now, &actor, "roster.imported", found.round.id(), &words(&change))?;
            Ok::<_, Problem>(Some(change.people))
        })
        .await?;
    let path = match done {
        Some(people) => format!("{AT}?nhap={people}"),
        // Something has changed since the page was shown: it says what.
        None => format!("{AT}/{back}"),
    };
    Ok(see_other(&site.base().path(&path)))
}

async fn discard(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    site: web::Data<Site>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let by = signed.staff().name.clone();
    db.write(move |conn| {
        if store::upload(conn, &id, &by)?.is_some() {
            store::delete_upload(conn, &id)?;
        }
        Ok::<_, Problem>(())
    })
    .await?;
    Ok(see_other(&site.base().path(AT)))
}
