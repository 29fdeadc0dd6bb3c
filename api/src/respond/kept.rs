//! `/rieng-tu`: what is kept about a respondent. The page is made from one list with a sentence for every column of
//! every table that a respondent leaves anything in, and from the rules that the rounds declare; a test holds the list
//! to the schema of both databases, so a new column cannot be kept quietly. In English the sentences are in `english.tsv`.

use askama::Template;
use survey_forms::Round;
use survey_forms::round::{Channel, IssueMode};

use super::views::RoundView;
use crate::http::frame::Frame;

/// What is kept about you.
#[derive(Template)]
#[template(path = "respond/privacy.html")]
pub(super) struct PrivacyPage {
    pub(super) frame: Frame,
    pub(super) rounds: Vec<RoundView>,
    pub(super) declared: Vec<Declared>,
}

/// What a round declares about its respondents' data.
pub(super) struct Declared {
    title: String,
    k: u32,
    distribution_n: u32,
    groups: Vec<Asked>,
}

/// A group, in the words of the page.
struct Asked {
    name: String,
    channel: &'static str,
    issue: &'static str,
}

impl Declared {
    pub(super) fn of(round: &Round) -> Self {
        let asked = |group: &survey_forms::round::Group| Asked {
            name: group.name.clone(),
            channel: answering(group.channel),
            issue: issuing(group.issue),
        };
        Self {
            title: round.title.clone(),
            k: round.disclosure.k,
            distribution_n: round.disclosure.distribution_n,
            groups: round.groups.iter().map(asked).collect(),
        }
    }
}

fn answering(channel: Channel) -> &'static str {
    match channel {
        Channel::Online => "trả lời trực tuyến",
        Channel::Paper => "trả lời trên giấy",
    }
}

fn issuing(issue: IssueMode) -> &'static str {
    match issue {
        IssueMode::Draw => "phát giấy mời theo lối rút thăm: hệ thống không biết ai cầm mã nào",
        IssueMode::Addressed => {
            "thư gửi đích danh: cho đến khi chốt phiếu hệ thống biết ai nhận mã nào và ai đã trả lời; khi chốt thì xóa"
        }
    }
}

/// Every sentence of this list, for the test that they are there in English.
#[cfg(test)]
pub(super) fn sentences() -> impl Iterator<Item = &'static str> {
    let kept = KEPT.iter().flat_map(|kept| {
        [kept.row, kept.why].into_iter().chain(kept.columns.iter().map(|(_, said)| *said)).collect::<Vec<_>>()
    });
    let declared = [answering(Channel::Online), answering(Channel::Paper)];
    kept.chain(declared).chain([issuing(IssueMode::Draw), issuing(IssueMode::Addressed)])
}

/// A table of the database that a respondent leaves something in.
pub(super) struct Kept {
    /// As in the schema.
    pub(super) table: &'static str,
    /// What a row is.
    pub(super) row: &'static str,
    /// What it is for, and how long it stays.
    pub(super) why: &'static str,
    /// Every column as in the schema, with what it holds.
    pub(super) columns: &'static [(&'static str, &'static str)],
}

const ROUND: (&str, &str) = ("round", "Đợt điều tra");
const GROUP: (&str, &str) = ("respondent_code", "Nhóm người trả lời");
const TARGETS: (&str, &str) = ("targets", "Cơ quan được đánh giá");
const CHANNEL: (&str, &str) = ("channel", "Trực tuyến hay giấy");

/// Everything, in the order of a ballot's way.
pub(super) const KEPT: &[Kept] = &[
    Kept {
        table: "roster",
        row: "Mỗi đơn vị được mời bao nhiêu người",
        why: "Để phát đủ giấy mời. Ở đây chỉ có số người, không có tên",
        columns: &[ROUND, GROUP, ("source_unit", "Đơn vị công tác"), ("people", "Số người được mời")],
    },
    Kept {
        table: "addressee",
        row: "Người được gửi thư đích danh, chỉ ở nhóm nhận mã qua thư",
        why: "Để gửi thư mời và thư nhắc. Xóa khi chốt phiếu, trước khi hòm phiếu được mở",
        columns: &[
            ("id", "Số ngẫu nhiên"),
            ROUND,
            GROUP,
            ("source_unit", "Đơn vị công tác"),
            ("name", "Họ và tên, như trong danh sách đơn vị gửi"),
            ("email", "Địa chỉ thư điện tử"),
            ("mailbox", "Cũng địa chỉ ấy, viết thường, để không ai có hai thư"),
        ],
    },
    Kept {
        table: "tie",
        row: "Mã nào đã gửi cho ai, chỉ ở nhóm nhận mã qua thư",
        why: "Để chỉ nhắc người chưa trả lời và để thay mã bị mất. Không nói gì về câu trả lời. Xóa khi chốt phiếu; sổ công \
              khai ghi rằng đã xóa bao nhiêu dòng",
        columns: &[("addressee", "Người nhận thư"), ROUND, ("public_key", "Dấu của mã trong thư gần nhất")],
    },
    Kept {
        table: "letter",
        row: "Thư mời và thư nhắc: đã gửi hay chưa",
        why: "Để mỗi người nhận được thư. Mã phiếu không có ở đây: mã được tạo đúng lúc gửi. Xóa khi chốt phiếu",
        columns: &[
            ("id", "Số ngẫu nhiên"),
            ROUND,
            ("addressee", "Người nhận thư"),
            ("template", "Thư mời, thư nhắc hay thư thay mã"),
            ("number", "Lần thứ mấy"),
            ("state", "Đang chờ, đang gửi, đã gửi, bị từ chối hay bị trả lại"),
            ("due", "Gửi từ lúc nào"),
            ("tries", "Đã thử gửi mấy lần"),
            ("fault", "Máy chủ thư từ chối vì sao: mã lỗi, không có địa chỉ"),
        ],
    },
    Kept {
        table: "roster_upload",
        row: "Danh sách người đang chờ nhập",
        why: "Để xem trước và sửa cột trước khi nhập. Xóa khi nhập xong hoặc bỏ, muộn nhất là khi chốt phiếu",
        columns: &[
            ("id", "Số ngẫu nhiên"),
            ROUND,
            GROUP,
            ("file", "Tên tệp"),
            ("mapping", "Cột nào là gì"),
            ("body", "Tệp danh sách do đơn vị gửi"),
            ("uploaded_by", "Cán bộ đã tải lên"),
            ("uploaded_at", "Lúc tải lên"),
        ],
    },
    Kept {
        table: "credential",
        row: "Dấu của mỗi mã phiếu",
        why: "Để mỗi mã chỉ gửi được một phiếu và không ai bỏ phiếu thay người không trả lời. Không suy ngược ra mã được",
        columns: &[
            ("public_key", "Khóa công khai suy ra từ mã; máy chủ không có mã, cũng không có bản băm của mã"),
            ROUND,
            GROUP,
            ("source_unit", "Đơn vị được phát mã"),
            TARGETS,
            CHANNEL,
            ("state", "Chưa dùng, đã dùng hay đã thu hồi"),
            ("redeem_signature", "Chữ ký chứng tỏ người cầm mã đã dùng mã; nó không nói gì về câu trả lời"),
            ("receipt_box", "Số biên nhận, mã hóa bằng chính mã phiếu, để nhập lại mã thì thấy lại số"),
        ],
    },
    Kept {
        table: "draft",
        row: "Phiếu nháp, và các bản nhập của phiếu giấy, kể cả bản đang nhập dở",
        why: "Để làm tiếp sau khi dừng. Xóa ngay khi gửi phiếu. Bàn nhập còn giữ ở đây dấu của lệnh đã gửi, mã hóa bằng số \
              ngẫu nhiên mà chỉ máy của người nhập có, cho đến khi chốt phiếu",
        columns: &[
            ("id", "Số suy ra từ mã phiếu; không tính được từ dấu của mã"),
            ROUND,
            ("body", "Câu trả lời, mã hóa bằng chính mã phiếu: không có mã thì không ai đọc được"),
        ],
    },
    Kept {
        table: "envelope",
        row: "Phiếu đã gửi, trong phong bì niêm phong",
        why: "Chờ chuyển vào hòm. Không kèm dấu của mã, không kèm thời điểm",
        columns: &[
            ("id", "Số biên nhận: dấu của phong bì"),
            ROUND,
            ("sealed", "Phiếu, mã hóa bằng khóa của hòm; mọi phong bì của cùng một mẫu phiếu có cùng kích thước"),
        ],
    },
    Kept {
        table: "ballot_box",
        row: "Phong bì trong hòm, xếp theo số biên nhận",
        why: "Để không còn thấy phong bì nào đến trước",
        columns: &[("id", "Số biên nhận: dấu của phong bì"), ROUND, ("sealed", "Phiếu, mã hóa bằng khóa của hòm")],
    },
    Kept {
        table: "ballot",
        row: "Phiếu sau khi mở hòm",
        why: "Để tính điểm. Không còn đường về phong bì hay mã phiếu",
        columns: &[
            ("id", "Số ngẫu nhiên, chọn khi mở hòm"),
            ROUND,
            ("body", "Nhóm, cơ quan được đánh giá và các câu trả lời, trừ lời góp ý"),
        ],
    },
    Kept {
        table: "remark",
        row: "Lời góp ý, tách khỏi phiếu khi mở hòm",
        why: "Để đọc góp ý mà không biết các câu trả lời khác của người viết. Xáo chung cả hòm; không còn đường về phiếu, \
              phong bì hay mã phiếu. Xin đừng viết điều gì làm lộ ông/bà là ai",
        columns: &[
            ("id", "Số ngẫu nhiên, chọn khi mở hòm cho riêng lời này"),
            ROUND,
            ("respondent_code", "Nhóm người trả lời; không đưa ra ngoài khi còn nhóm có quá ít phiếu về cơ quan ấy"),
            ("target", "Cơ quan được nói đến"),
            ("item_code", "Câu hỏi"),
            ("body", "Lời góp ý, đúng như đã viết"),
        ],
    },
    Kept {
        table: "opening",
        row: "Kết quả kiểm đếm khi mở hòm",
        why: "Để ai cũng thấy hòm có bao nhiêu phong bì và đọc được bao nhiêu phiếu. Chỉ có số của cả hòm",
        columns: &[
            ROUND,
            ("envelopes", "Số phong bì trong hòm"),
            ("opened", "Số phiếu đọc được"),
            ("unreadable", "Số phong bì không đọc được"),
            ("log_root", "Dấu của sổ công khai lúc chốt phiếu"),
            (
                "salt",
                "Số ngẫu nhiên che cam kết về các phiếu đã mở, để không ai dò được nội dung một phiếu từ sổ công khai",
            ),
        ],
    },
    Kept {
        table: "log",
        row: "Sổ công khai của đợt, mỗi đợt một sổ",
        why: "Để không ai thêm, bớt hay đổi phong bì mà không bị phát hiện",
        columns: &[
            ROUND,
            ("vkey", "Khóa công khai để kiểm tra chữ ký của sổ"),
            ("secret", "Khóa ký sổ; không mở được phong bì nào"),
            ("size", "Số dòng của sổ"),
            ("checkpoint", "Dấu của cả sổ, có chữ ký"),
            ("close_root", "Dấu của sổ lúc chốt phiếu"),
        ],
    },
    Kept {
        table: "log_tile",
        row: "Các trang của sổ công khai",
        why: "Để tải về và kiểm tra. Dấu phong bì vào sổ theo từng đợt, xếp theo thứ tự của dấu, nên không cho biết ai đến trước",
        columns: &[
            ROUND,
            ("level", "Tầng của trang"),
            ("number", "Số của trang trong tầng"),
            ("body", "Các dấu phong bì, hoặc dấu tính ra từ chúng; không có câu trả lời, không có mã"),
        ],
    },
    Kept {
        table: "log_leaf",
        row: "Chỗ của mỗi phong bì trong sổ công khai",
        why: "Để người cầm số biên nhận kiểm tra rằng phiếu của mình có trong sổ",
        columns: &[
            ("id", "Số biên nhận: dấu của phong bì"),
            ROUND,
            ("place", "Số dòng trong sổ; trong một đợt ghi thì xếp theo dấu, không theo giờ đến"),
        ],
    },
    Kept {
        table: "turnout",
        row: "Số phiếu thu được",
        why: "Để theo dõi tỷ lệ phản hồi. Đây là chỗ duy nhất biết đến ngày, và chỉ là số đếm",
        columns: &[
            ROUND,
            ("day", "Ngày"),
            GROUP,
            ("source_unit", "Đơn vị được phát mã"),
            TARGETS,
            CHANNEL,
            ("returned", "Số phiếu"),
        ],
    },
    Kept {
        table: "paper",
        row: "Tờ phiếu giấy: thuộc bó nào, đang ở đâu",
        why: "Để không tờ nào bị thất lạc hay thêm vào. Số thứ tự trong bó do bốc thăm, không theo thứ tự làm mã",
        columns: &[
            ("public_key", "Dấu của mã phiếu"),
            ROUND,
            ("bundle", "Bó phiếu"),
            ("sheet", "Số thứ tự trong bó"),
            ("custody", "Đã in, đã phát, đã thu về, bị hỏng hay thất lạc"),
            ("sampled", "Có được đọc lại lần thứ ba để kiểm tra hay không"),
        ],
    },
    Kept {
        table: "capture",
        row: "Phiếu giấy đang ở bàn nhập liệu",
        why: "Để hai người nhập độc lập rồi so với nhau. Câu trả lời không có ở đây",
        columns: &[
            ("public_key", "Dấu của mã phiếu"),
            ROUND,
            ("state", "Đang nhập, đã nhập một lần, khớp, lệch, để riêng, không hợp lệ hay đã vào hòm"),
            ("before", "Tình trạng trước khi để riêng"),
            ("first_by", "Người nhập thứ nhất"),
            ("second_by", "Người nhập thứ hai"),
            ("audited_by", "Người đọc lại khi phiếu được rút làm mẫu"),
            ("settled_by", "Người phân xử khi các bản lệch nhau"),
            ("held_by", "Người đang cầm tờ phiếu"),
            ("void_by", "Người đề nghị coi phiếu là không hợp lệ"),
            ("void_confirmed_by", "Người thứ hai xác nhận phiếu không hợp lệ"),
        ],
    },
    Kept {
        table: "paper_referral",
        row: "Tờ phiếu giấy không nhập được như thường",
        why: "Để hai người cùng xem xét: sai mẫu, rách mã, thiếu trang, phiếu sao chép. Câu trả lời không có ở đây",
        columns: &[
            ("id", "Số ngẫu nhiên"),
            ROUND,
            ("bundle", "Bó phiếu"),
            ("sheet", "Số thứ tự trong bó, nếu đọc được"),
            ("trouble", "Sự cố gì"),
            ("remark", "Lời của người nhập về tờ giấy"),
            ("state", "Đang chờ, trả lại nhập tiếp, không hợp lệ hay phiếu trùng"),
            ("verdict", "Lời của phụ trách"),
            ("referred_by", "Người để riêng tờ phiếu"),
            ("proposed_by", "Người đề nghị cách giải quyết"),
            ("confirmed_by", "Người thứ hai xác nhận"),
        ],
    },
    Kept {
        table: "scan",
        row: "Ảnh quét của phiếu giấy, để người phân xử đối chiếu",
        why: "Chỉ người cầm tờ phiếu mới mở được. Xóa khi phiếu vào hòm, muộn nhất khi bó phiếu được lưu kho",
        columns: &[
            ("id", "Số suy ra từ mã phiếu; không tính được từ dấu của mã"),
            ("bundle", "Bó phiếu"),
            ("body", "Ảnh, mã hóa bằng chính mã phiếu: không có mã thì không ai xem được"),
        ],
    },
    Kept {
        table: "keying_claim",
        row: "Máy ở bàn nhập liệu đang mở một phiếu giấy",
        why: "Để không đóng bó khi còn máy giữ phiếu chưa gửi. Xóa khi bản nhập đã về máy chủ. Câu trả lời không có ở đây",
        columns: &[("desk", "Số ngẫu nhiên của máy"), ("public_key", "Dấu của mã phiếu"), ("staff", "Người đang nhập")],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Tables that hold nothing about a respondent: what they are about instead.
    const OTHERS: [(&str, &str); 21] = [
        ("bundle_sums", "paper ballots by the bundle, in sums"),
        ("desk_work", "work of the desk's staff, in sums"),
        ("desk_item", "items of questionnaires, in sums"),
        ("desk_pass", "temporary clerks who ask to be let in"),
        ("posting", "whether a round's letters are paused, and the mail server"),
        ("post_office", "places where paper is keyed"),
        ("bundle", "paper ballots by the bundle"),
        ("round", "the rules of a round"),
        ("round_proposal", "a round's folder that waits for a second person"),
        ("publication", "published scores"),
        ("release_proposal", "a release of scores that waits for a second person"),
        ("webhook", "programs that are told of releases"),
        ("webhook_delivery", "what they were told"),
        ("staff", "staff"),
        ("session", "staff"),
        ("client", "programs"),
        ("keying_effort", "how much each clerk keyed for a round in a day"),
        ("desk_key", "keys of the paper desk's browsers"),
        ("signing_key", "keys of the service"),
        ("audit", "acts of staff and programs"),
        ("__diesel_schema_migrations", "the schema itself"),
    ];

    #[test]
    fn every_column_about_a_respondent_has_its_sentence_and_no_sentence_is_stale() {
        for test in crate::testing::databases() {
            let mut schema = test.db.columns().unwrap();
            for (table, about) in OTHERS {
                assert!(schema.remove(table).is_some(), "{table} ({about}) is not in the schema: take it out here");
            }
            let told: BTreeMap<String, Vec<String>> = KEPT
                .iter()
                .map(|kept| {
                    let mut columns: Vec<String> = kept.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
                    columns.sort();
                    (kept.table.to_owned(), columns)
                })
                .collect();
            assert_eq!(told, schema, "{}: say in KEPT what is kept, or in OTHERS what it is about", test.backend);
        }
    }

    #[test]
    fn each_sentence_says_something() {
        for kept in KEPT {
            assert!(kept.row.chars().count() > 10 && kept.why.chars().count() > 10, "{}", kept.table);
            assert!(kept.columns.iter().all(|(_, said)| said.chars().count() > 3), "{}", kept.table);
        }
    }
}
