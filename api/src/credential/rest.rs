//! `POST /rounds/{round}/codes`: codes for a machine client, this once.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate as _;

use super::{CredentialError, HandedOver, Selection, hand_over, issue};
use crate::access::audit;
use crate::access::extract::Machine;
use crate::access::scopes::CodesIssue;
use crate::ballot::FindError;
use crate::bundle::SheetLabel;
use crate::clock::Entropy;
use crate::config::BaseUrl;
use crate::db::Db;
use crate::http::{Problem, codes};
use crate::round::{RoundError, Rounds};

/// Most codes of one answer.
const MOST_PER_CALL: u32 = 10_000;

/// Which codes to make.
#[derive(Deserialize, ToSchema, validator::Validate)]
#[serde(deny_unknown_fields)]
struct IssueRequest {
    /// The respondent group's code.
    #[validate(length(min = 1, max = 32))]
    #[schema(example = "CC-CT", min_length = 1, max_length = 32)]
    respondent_code: String,
    /// The unit, or the target of groups without units; every one of the group when absent.
    #[validate(length(min = 1, max = 64))]
    #[schema(example = "SNV", min_length = 1, max_length = 64)]
    unit: Option<String>,
    /// So many for each kind of ballot; what quota and roster leave open when absent.
    #[validate(range(min = 1, max = MOST_PER_CALL))]
    #[schema(example = 2, minimum = 1, maximum = 10_000)]
    count: Option<u32>,
    /// Where nothing is left open: revoke the unused codes of the lists before, and make as many others. No effect beside
    /// `count`.
    #[serde(default)]
    renew: bool,
}

/// The codes. There is no other copy.
#[derive(Serialize, ToSchema)]
struct Issued {
    /// The round's id.
    round: String,
    /// In no order that means anything.
    codes: Vec<IssuedCode>,
    /// Unused codes of earlier lists that died for these.
    revoked: usize,
}

/// A code and what it is for.
#[derive(Serialize, ToSchema)]
struct IssuedCode {
    /// 24 symbols in groups of four.
    #[schema(example = "7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYM")]
    code: String,
    /// The address that a QR code carries; the code rides in the fragment and reaches no log.
    address: String,
    /// The respondent group's code.
    respondent_code: String,
    /// The unit; null when the group has none.
    source_unit: Option<String>,
    /// What the ballot rates.
    targets: Vec<String>,
    /// Bundle and number of a paper ballot; null for an online code.
    sheet: Option<Sheet>,
}

/// Where a paper ballot belongs.
#[derive(Serialize, ToSchema)]
struct Sheet {
    /// Number of the bundle in its group.
    #[schema(example = 3)]
    bundle: u32,
    /// Number of the sheet in the bundle, drawn by lot.
    #[schema(example = 12)]
    number: u32,
    /// Sheets in the bundle.
    #[schema(example = 30)]
    of: u32,
    /// All of it, as it stands on the sheet.
    #[schema(example = "HĐ-CT · Bó 03 · phiếu 12/30")]
    label: String,
}

impl From<SheetLabel> for Sheet {
    fn from(label: SheetLabel) -> Self {
        Self { bundle: label.bundle, number: label.sheet, of: label.of, label: label.to_string() }
    }
}

impl From<CredentialError> for Problem {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::NothingSelected => Self::new(&codes::GROUP_UNKNOWN),
            CredentialError::Closed => Self::new(&codes::STATE_CONFLICT),
            CredentialError::OverQuota { .. } | CredentialError::TooMany => Self::new(&codes::OVER_QUOTA),
            CredentialError::HowMany { .. } => Self::new(&codes::HOW_MANY),
            CredentialError::Used => Self::new(&codes::CODE_USED),
            CredentialError::Revoked => Self::new(&codes::CODE_REVOKED),
            CredentialError::Find(FindError::Unknown) => Self::new(&codes::CODE_UNKNOWN),
            CredentialError::Find(FindError::Round(RoundError::Unknown)) => Self::new(&codes::ROUND_UNKNOWN),
            CredentialError::Find(FindError::Db(error)) | CredentialError::Db(error) => error.into(),
            CredentialError::Find(error) => Self::internal(&error),
            CredentialError::Log(error) => Self::internal(&error),
            CredentialError::Roster(_) | CredentialError::List(_) => Self::new(&codes::FIELDS_INVALID),
            CredentialError::Addressed(_) => Self::new(&codes::CODES_BY_LETTER),
        }
    }
}

/// Issue one-time codes
///
/// The codes are in this answer and nowhere else: the service keeps only their public keys. A list is given once; who has
/// lost it asks with `renew`.
#[utoipa::path(
    tag = "codes",
    params(("round" = String, Path, description = "Id of the round")),
    request_body = IssueRequest,
    responses(
        (status = 201, body = Issued),
        (status = 401, description = "token_missing, token_invalid, token_expired"),
        (status = 403, description = "scope_missing: codes:issue; round_not_granted"),
        (status = 404, description = "round_unknown, group_unknown"),
        (status = 409, description = "state_conflict: the round is closed; over_quota; how_many: neither quota nor roster; codes_by_letter: the group's codes go by letter; code_used: `renew`, and every code is used"),
        (status = 422, description = "fields_invalid"),
    ),
    security(("machine" = ["codes:issue"])),
)]
#[post("/rounds/{round}/codes")]
async fn issue_codes(
    client: Machine<CodesIssue>,
    path: Path<String>,
    body: Json<IssueRequest>,
    db: Data<Db>,
    rounds: Data<Rounds>,
    entropy: Data<Entropy>,
    base: Data<BaseUrl>,
) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let (request, round) = (body.into_inner(), path.into_inner());
    let handle = Db::clone(&db);
    let issued = db
        .write(move |conn| {
            let loaded = rounds.get(conn, &round).map_err(FindError::from)?;
            let selection = Selection {
                respondent_code: Some(&request.respondent_code),
                source_unit: request.unit.as_deref(),
                count: request.count,
            };
            let HandedOver { codes, revoked } = if request.renew {
                hand_over(conn, &loaded, selection, &entropy)?
            } else {
                HandedOver { codes: issue(conn, &loaded, selection, &entropy)?, revoked: 0 }
            };
            if codes.len() > usize::try_from(MOST_PER_CALL).unwrap_or(usize::MAX) {
                return Err(CredentialError::TooMany);
            }
            let now = handle.now(conn)?;
            let detail = format!("group={} count={} revoked={revoked}", request.respondent_code, codes.len());
            audit::record(conn, now, &client.actor(), "codes.issued", &round, &detail)?;
            Ok::<_, CredentialError>(Issued {
                round,
                revoked,
                codes: codes
                    .into_iter()
                    .map(|c| {
                        let code = c.token.expose().to_string();
                        IssuedCode {
                            address: format!("{}#{code}", base.url("/p")),
                            code,
                            respondent_code: c.respondent_code,
                            source_unit: Some(c.source_unit).filter(|u| !u.is_empty()),
                            targets: c.targets,
                            sheet: c.sheet.map(Sheet::from),
                        }
                    })
                    .collect(),
            })
        })
        .await?;
    Ok(HttpResponse::Created().json(issued))
}

/// The room's REST calls.
pub fn rest(config: &mut ServiceConfig<'_>) {
    config.service(issue_codes);
}
