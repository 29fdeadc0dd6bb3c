//! How one item's score came about, and what the ranks would be under other rules.

use actix_web::{HttpResponse, web};
use askama::Template;
use survey_forms::Round;
use survey_forms::scoring::{KindRanks, OtherRule, Scenario, ScoreDocument, sensitivity};

use super::{Asked, Head, head, shown as released};
use crate::db::Db;
use crate::http::Problem;
use crate::http::frame::{Frame, Site, page};
use crate::round::Rounds;
use crate::score::explained::{explained, mark_words};
use crate::score::view::{decimal, hidden};
use crate::score::{Publications, ScoreError};

#[derive(Template)]
#[template(path = "score/item.html")]
struct ItemPage {
    frame: Frame,
    head: Head,
    target: String,
    target_name: String,
    name: String,
    code: String,
    percent: String,
    points: String,
    steps: Vec<String>,
    groups: Vec<GroupView>,
}

struct GroupView {
    code: String,
    name: String,
    weight: String,
    issued: u64,
    returned: u64,
    n: u64,
    mean: String,
    hidden: Option<&'static str>,
    answers: Vec<String>,
}

pub(super) async fn item(
    path: web::Path<(String, String, String)>,
    asked: web::Query<Asked>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Problem> {
    let (round, target, item) = path.into_inner();
    let release = released(&db, &rounds, &publications, Some(round), asked.into_inner()).await?;
    let release = release.ok_or(ScoreError::NotPublished)?;
    let (document, definition) = (&release.publication.document, &release.round.definition);
    let told = explained(definition, document, &target, &item)?;
    let found = document.targets.iter().find(|one| one.target == target);
    let target_name = found.ok_or(ScoreError::TargetUnknown)?.name.clone();
    let shown = |text: &Option<String>| text.as_ref().map_or_else(|| "–".to_owned(), |text| decimal(text));
    let groups = told.explanation.groups.iter().map(|group| GroupView {
        code: group.respondent_code.clone(),
        name: definition.group(&group.respondent_code).map(|group| group.name.clone()).unwrap_or_default(),
        weight: decimal(&group.weight),
        issued: group.issued,
        returned: group.returned,
        n: group.n,
        mean: shown(&group.mean),
        hidden: group.suppressed.map(hidden),
        answers: group
            .options
            .iter()
            .flatten()
            .map(|option| format!("{} {}: {}", option.option, option.label, option.count))
            .chain(group.marks.iter().flatten().map(|mark| format!("{}: {}", mark_words(&mark.mark), mark.count)))
            .collect(),
    });
    let name = definition.criterion(&item).map(|criterion| criterion.name.clone()).unwrap_or_default();
    Ok(page(&ItemPage {
        frame: site.frame(&name),
        head: head(&release),
        groups: groups.collect(),
        percent: told
            .explanation
            .suppressed
            .map_or_else(|| format!("{}%", shown(&told.explanation.percent)), |reason| hidden(reason).to_owned()),
        points: format!("{} / {}", shown(&told.explanation.points), decimal(&told.explanation.max_points)),
        steps: told.steps,
        target,
        target_name,
        name,
        code: item,
    }))
}

#[derive(Template)]
#[template(path = "score/sensitivity.html")]
struct SensitivityPage {
    frame: Frame,
    head: Head,
    kinds: Vec<KindTable>,
}

/// One kind's targets by rule.
struct KindTable {
    name: String,
    rules: Vec<RuleColumn>,
    rows: Vec<RankRow>,
}

struct RuleColumn {
    number: usize,
    name: String,
    /// What changes, in words.
    says: String,
}

struct RankRow {
    name: String,
    declared: String,
    /// The rank, and whether it is another than the declared one.
    ranks: Vec<(String, bool)>,
}

pub(super) async fn other_rules(
    round: web::Path<String>,
    asked: web::Query<Asked>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Problem> {
    let release = released(&db, &rounds, &publications, Some(round.into_inner()), asked.into_inner()).await?;
    let release = release.ok_or(ScoreError::NotPublished)?;
    let kinds = tables(&release.round.definition, &release.publication.document);
    Ok(page(&SensitivityPage { frame: site.frame("Độ nhạy của thứ hạng"), head: head(&release), kinds }))
}

fn tables(round: &Round, document: &ScoreDocument) -> Vec<KindTable> {
    let scenarios = sensitivity(round, document).scenarios;
    let table = |kind: &survey_forms::round::TargetKind| {
        let concerned: Vec<(&Scenario, &KindRanks)> = scenarios
            .iter()
            .filter_map(|scenario| Some((scenario, scenario.kinds.iter().find(|ranks| ranks.kind == kind.code)?)))
            .collect();
        let says = |ranks: &KindRanks| match (ranks.available, ranks.moved) {
            (false, _) => "không tính được: nhóm này có ô đã ẩn".to_owned(),
            (true, 0) => "thứ hạng không đổi".to_owned(),
            (true, moved) => format!("{moved} cơ quan đổi hạng, nhiều nhất {} bậc", ranks.most),
        };
        let rules = concerned.iter().enumerate().map(|(at, (scenario, ranks))| RuleColumn {
            number: at + 1,
            name: rule_words(round, scenario),
            says: says(ranks),
        });
        let mut ranked: Vec<_> = document.targets.iter().filter(|t| t.kind == kind.code && t.rank.is_some()).collect();
        ranked.sort_by_key(|target| target.rank);
        let dash = |rank: Option<u32>| rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string());
        let rows = ranked.iter().map(|target| RankRow {
            name: target.name.clone(),
            declared: dash(target.rank),
            ranks: concerned
                .iter()
                .map(|(_, ranks)| {
                    let own = ranks.targets.iter().find(|own| own.target == target.target).and_then(|own| own.rank);
                    (dash(own), own.is_some() && own != target.rank)
                })
                .collect(),
        });
        KindTable { name: kind.name.clone(), rules: rules.collect(), rows: rows.collect() }
    };
    round.target_kinds.iter().map(table).filter(|kind| !kind.rows.is_empty()).collect()
}

fn rule_words(round: &Round, scenario: &Scenario) -> String {
    match (scenario.rule, &scenario.respondent_code) {
        (OtherRule::EqualBallots, _) => "Mọi câu trả lời có trọng số như nhau".to_owned(),
        (OtherRule::OtherScale, _) => "Thang điểm khác (khai báo trong đợt)".to_owned(),
        (OtherRule::WithoutGroup, group) => {
            let code = group.as_deref().unwrap_or_default();
            let name = round.group(code).map(|group| group.name.clone()).unwrap_or_default();
            format!("Không tính nhóm {code} ({name})")
        }
    }
}
