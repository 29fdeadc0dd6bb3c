//! Every stable error code of the service with its HTTP status and the words people see. The one place for both.

/// One kind of refusal.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// HTTP status.
    pub status: u16,
    /// The stable name that programs match on.
    pub name: &'static str,
    /// What a person is told, in Vietnamese.
    pub title: &'static str,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $constant:ident = $status:literal $name:literal $title:literal;)*) => {
        $($(#[doc = $doc])* pub const $constant: Code = Code { status: $status, name: $name, title: $title };)*
        /// All of them, for the documentation and its test.
        pub const ALL: &[&Code] = &[$(&$constant),*];
    };
}

codes! {
    // requests
    /// No such route or thing.
    NOT_FOUND = 404 "not_found" "Không tìm thấy trang hoặc dữ liệu này.";
    /// The route exists, the method does not.
    METHOD_NOT_ALLOWED = 405 "method_not_allowed" "Thao tác này không được hỗ trợ tại địa chỉ đã gọi.";
    /// Not JSON, not a form, not UTF-8.
    BODY_MALFORMED = 400 "body_malformed" "Dữ liệu gửi lên không đúng định dạng.";
    /// Over the limit of bytes.
    BODY_TOO_LARGE = 413 "body_too_large" "Dữ liệu gửi lên quá lớn.";
    /// Wrong `Content-Type`.
    MEDIA_TYPE_UNSUPPORTED = 415 "media_type_unsupported" "Kiểu dữ liệu gửi lên không được hỗ trợ.";
    /// Unknown or malformed query parameters.
    QUERY_MALFORMED = 400 "query_malformed" "Tham số trên địa chỉ không đúng.";
    /// Fields at fault, listed in `errors`.
    FIELDS_INVALID = 422 "fields_invalid" "Một số thông tin chưa đúng. Xin ông/bà kiểm tra lại.";
    /// A form posted from another site.
    CROSS_SITE = 403 "cross_site" "Yêu cầu đến từ một trang khác nên không được chấp nhận. Xin ông/bà mở lại trang và thử lại.";
    /// Too many attempts.
    TOO_MANY_REQUESTS = 429 "too_many_requests" "Có quá nhiều lần thử. Xin ông/bà đợi ít phút rồi thử lại.";
    /// The queue is full.
    BUSY = 503 "busy" "Hệ thống đang rất bận. Xin ông/bà thử lại sau vài giây; câu trả lời đã nhập vẫn còn.";
    /// The database does not answer.
    UNAVAILABLE = 503 "unavailable" "Hệ thống tạm thời gián đoạn. Xin ông/bà thử lại sau ít phút.";
    /// The request did not arrive whole in time.
    TOO_SLOW = 408 "too_slow" "Đường truyền quá chậm nên yêu cầu chưa đến đủ. Xin ông/bà thử lại.";
    /// A fault of ours.
    INTERNAL = 500 "internal" "Hệ thống gặp lỗi. Lỗi đã được ghi nhận; xin ông/bà thử lại sau.";

    // the ballot's path
    /// Unknown code, or one whose check symbol is wrong.
    CODE_UNKNOWN = 404 "code_unknown" "Mã phiếu không đúng. Xin ông/bà kiểm tra lại từng ký tự trên giấy mời.";
    /// The code was replaced or withdrawn.
    CODE_REVOKED = 410 "code_revoked" "Mã phiếu này đã được thu hồi và thay bằng mã khác.";
    /// Before opening, after closing, or closed by hand.
    ROUND_NOT_OPEN = 409 "round_not_open" "Đợt điều tra hiện không nhận phiếu.";
    /// No such round.
    ROUND_UNKNOWN = 404 "round_unknown" "Không có đợt điều tra này.";
    /// No such target in the round.
    TARGET_UNKNOWN = 404 "target_unknown" "Không có cơ quan này trong đợt điều tra.";
    /// No such criterion about the target in the round.
    CRITERION_UNKNOWN = 404 "criterion_unknown" "Không có tiêu chí này về cơ quan này trong đợt điều tra.";
    /// No questionnaire for this respondent code.
    QUESTIONNAIRE_UNKNOWN = 404 "questionnaire_unknown" "Không có mẫu phiếu này trong đợt điều tra.";
    /// Answers at fault, listed in `errors`; nothing was stored.
    ANSWERS_INVALID = 422 "answers_invalid" "Phiếu có câu trả lời chưa hợp lệ. Chưa có gì được ghi nhận.";
    /// A paper ballot's code on the online form.
    CODE_IS_PAPER = 409 "code_is_paper" "Đây là mã của phiếu giấy. Xin ông/bà điền phiếu giấy và gửi lại theo hướng dẫn.";

    // codes
    /// The round has no such group, or the group no such unit.
    GROUP_UNKNOWN = 404 "group_unknown" "Đợt điều tra không có nhóm đối tượng hoặc đơn vị này.";
    /// More than the plan's quota or the roster says.
    OVER_QUOTA = 409 "over_quota" "Số mã yêu cầu vượt chỉ tiêu hoặc danh sách đã nhập. Chưa có mã nào được phát.";
    /// Neither a quota nor a roster, and no number given.
    HOW_MANY = 409 "how_many" "Nhóm này không có chỉ tiêu và chưa có danh sách; cần cho biết số mã.";
    /// The group's codes go by letters to named people.
    CODES_BY_LETTER = 409 "codes_by_letter" "Mã của nhóm này được gửi qua thư từng người, không phát thành danh sách.";
    /// The code's ballot is in the box and stays there.
    CODE_USED = 409 "code_used" "Mã này đã được dùng; phiếu đã nằm trong hòm phiếu.";

    // staff and machines
    /// Sign in first.
    SIGN_IN_REQUIRED = 401 "sign_in_required" "Xin đăng nhập để tiếp tục.";
    /// Wrong name or password.
    SIGN_IN_FAILED = 401 "sign_in_failed" "Tên đăng nhập hoặc mật khẩu không đúng.";
    /// Signed in, but not for this.
    ROLE_MISSING = 403 "role_missing" "Tài khoản của ông/bà không có quyền thực hiện việc này.";
    /// No bearer token.
    TOKEN_MISSING = 401 "token_missing" "Thiếu mã truy cập (Authorization: Bearer).";
    /// Not one of ours, or tampered with.
    TOKEN_INVALID = 401 "token_invalid" "Mã truy cập không hợp lệ.";
    /// Past its time.
    TOKEN_EXPIRED = 401 "token_expired" "Mã truy cập đã hết hạn.";
    /// The token does not carry the scope.
    SCOPE_MISSING = 403 "scope_missing" "Mã truy cập không có phạm vi cần thiết.";
    /// The client is for other rounds.
    ROUND_NOT_GRANTED = 403 "round_not_granted" "Máy khách này không được cấp quyền với đợt điều tra đã gọi.";
    /// Unknown client, wrong secret, revoked.
    CLIENT_INVALID = 401 "invalid_client" "Máy khách không đúng hoặc đã bị thu hồi.";
    /// Only `client_credentials` is offered.
    GRANT_UNSUPPORTED = 400 "unsupported_grant_type" "Chỉ hỗ trợ grant_type=client_credentials.";
    /// Asked for a scope that the client does not have.
    SCOPE_INVALID = 400 "invalid_scope" "Phạm vi yêu cầu không được cấp cho máy khách này.";
    /// A token request that is not one: fields missing, repeated or contradictory (RFC 6749, 5.2).
    TOKEN_REQUEST_INVALID = 400 "invalid_request" "Yêu cầu cấp mã truy cập không đúng.";
    /// A sign-in name that someone has or had.
    STAFF_NAME_TAKEN = 409 "staff_name_taken" "Tên đăng nhập này đã có người dùng.";
    /// No member of staff of this name.
    STAFF_UNKNOWN = 404 "staff_unknown" "Không có cán bộ này.";
    /// No machine client of this id.
    CLIENT_UNKNOWN = 404 "client_unknown" "Không có máy khách này.";

    // the log
    /// The round's log begins when its box key is made.
    LOG_UNKNOWN = 404 "log_unknown" "Đợt điều tra này chưa có sổ phiếu.";
    /// Not a tile's path, or the log has not grown so far.
    TILE_UNKNOWN = 404 "tile_unknown" "Sổ phiếu không có phần này.";
    /// In no round's box.
    RECEIPT_UNKNOWN = 404 "receipt_unknown" "Không có trong hòm phiếu; xin ông/bà kiểm tra lại từng ký tự của số biên nhận.";

    // scores
    /// Scores are released once, after the close.
    NOT_PUBLISHED = 409 "not_published" "Kết quả chưa được công bố.";
    /// The act does not fit the round's state.
    STATE_CONFLICT = 409 "state_conflict" "Đợt điều tra không ở trạng thái cho phép việc này.";
    /// No such kind of targets in the round.
    KIND_UNKNOWN = 404 "kind_unknown" "Không có loại cơ quan này trong đợt điều tra.";
    /// None of the media types asked for is offered.
    NOT_ACCEPTABLE = 406 "not_acceptable" "Không có kiểu dữ liệu được yêu cầu (Accept).";
    /// The round cannot open without a box key.
    BOX_KEY_MISSING = 409 "box_key_missing" "Đợt điều tra chưa có khóa hòm phiếu.";
    /// Another round's key, another key, or a damaged file.
    BOX_KEY_WRONG = 422 "box_key_wrong" "Tệp khóa hòm phiếu không đúng hoặc đã hỏng.";
    /// The round cannot open before a code was issued.
    CODES_MISSING = 409 "codes_missing" "Đợt điều tra chưa phát mã phiếu nào.";
    /// Used codes and envelopes differ in number; nothing was changed.
    COUNTS_DISAGREE = 409 "counts_disagree" "Số mã đã dùng và số phiếu trong hòm không khớp. Chưa có gì được thay đổi; xin ông/bà báo người quản trị hệ thống.";
    /// Before the round's date of publication.
    TOO_EARLY = 409 "too_early" "Chưa đến ngày công bố của đợt điều tra.";

    // releases of scores
    /// One release at a time.
    RELEASE_WAITS = 409 "release_waits" "Đã có một đề nghị công bố của đợt này đang chờ. Xin xác nhận hoặc rút lại đề nghị đó trước.";
    /// No such proposal of a release.
    RELEASE_PROPOSAL_UNKNOWN = 404 "release_proposal_unknown" "Không có đề nghị công bố này.";
    /// Whoever proposed a release may not confirm it.
    RELEASE_SAME_PERSON = 409 "release_same_person" "Ông/bà là người đề nghị công bố. Việc xác nhận phải do người khác làm.";
    /// Confirmed or withdrawn before.
    RELEASE_SETTLED = 409 "release_settled" "Đề nghị công bố này đã được xác nhận hoặc đã rút lại.";
    /// What was read on the page is not what would be released.
    RELEASE_CHANGED = 409 "release_changed" "Dấu của bản công bố không khớp với bản ông/bà đã xem. Xin rút lại đề nghị này và đề nghị lại.";
    /// A correction has to say why.
    CORRECTION_REASON = 422 "correction_reason" "Bản đính chính phải ghi rõ lý do, từ 20 đến 2000 ký tự, để ai cũng đọc được.";
    /// What is to be left out is nothing, or nothing of this round.
    CORRECTION_UNKNOWN = 422 "correction_unknown" "Phạm vi không tính phải nêu ít nhất một trong ba: nhóm, cơ quan, tiêu chí; và phải là của đợt này.";
    /// The numbers stay as they are.
    CORRECTION_EMPTY = 409 "correction_empty" "Bản đính chính không làm thay đổi con số nào so với bản đã công bố.";
    /// Together with the earlier releases it would give a small group away.
    CORRECTION_REVEALS = 409 "correction_reveals" "Đặt cạnh các bản đã công bố, bản đính chính này sẽ làm lộ ý kiến của một nhóm nhỏ, nên không thể công bố. Chỉ có thể bỏ ra ngoài những điểm đã được công bố riêng, hoặc cả một tiêu chí.";
    /// No such release.
    RELEASE_UNKNOWN = 404 "release_unknown" "Đợt điều tra không có bản công bố này, hoặc lúc ấy chưa công bố bản nào.";

    // a round's folder
    /// Codes are out, or the round is open or later: everybody must answer the same words.
    ROUND_FROZEN = 409 "round_frozen" "Đợt điều tra đã phát mã hoặc đã mở nên bộ tệp không đổi được nữa, kể cả sửa câu chữ: mọi người phải trả lời cùng một nội dung. Xin chốt đợt này, hoặc nạp bản sửa thành một đợt mới với mã đợt khác.";
    /// The upload broke off.
    UPLOAD_INCOMPLETE = 400 "upload_incomplete" "Kết nối bị ngắt nên tệp chưa đến đủ. Chưa có gì được lưu; xin ông/bà gửi lại tệp.";
    /// No such proposal.
    PROPOSAL_UNKNOWN = 404 "proposal_unknown" "Không có đề nghị nạp này.";
    /// Whoever proposed a folder may not confirm it.
    PROPOSAL_SAME_PERSON = 409 "proposal_same_person" "Ông/bà là người đề nghị nạp bộ tệp này. Việc xác nhận phải do người khác làm.";
    /// Confirmed or withdrawn before.
    PROPOSAL_SETTLED = 409 "proposal_settled" "Đề nghị này đã được xác nhận hoặc đã rút lại. Xin mở lại danh sách để xem.";
    /// The folder has errors.
    PROPOSAL_FAULTY = 409 "proposal_faulty" "Bộ tệp còn lỗi nên chưa thể nạp. Xin sửa các lỗi đã nêu, nén lại và gửi bản mới.";
    /// What was read on the page is not what would be loaded.
    PROPOSAL_CHANGED = 409 "proposal_changed" "Dấu của bộ tệp không khớp với bản ông/bà đã xem. Xin mở lại đề nghị và đối chiếu.";
    /// So many proposals wait already.
    PROPOSALS_MANY = 409 "proposals_many" "Đang có quá nhiều đề nghị chờ xác nhận. Xin xác nhận hoặc rút bớt rồi gửi lại.";

    // the paper desk
    /// An online ballot's code at the paper desk.
    KEYING_CODE_IS_ONLINE = 409 "code_is_online" "Đây là mã của phiếu trực tuyến, không nhập tại bàn phiếu giấy.";
    /// The code was used past the paper desk.
    KEYING_DUPLICATE = 409 "keying_duplicate" "Mã của phiếu này đã được dùng. Xin để riêng phiếu giấy vào tập phiếu trùng, không nhập.";
    /// Each pass needs another person.
    KEYING_SAME_PERSON = 409 "keying_same_person" "Ông/bà đã nhập phiếu này. Lượt tiếp theo phải do người khác làm.";
    /// Somebody else was faster.
    KEYING_PASS_TAKEN = 409 "keying_pass_taken" "Người khác vừa hoàn thành lượt này của phiếu. Xin quét lại phiếu để biết việc tiếp theo.";
    /// The second pass before the first.
    KEYING_FIRST_MISSING = 409 "keying_first_missing" "Phiếu này chưa có lượt nhập thứ nhất.";
    /// Two entries differ.
    KEYING_AWAITS_THIRD = 409 "keying_awaits_third" "Hai lượt nhập của phiếu này khác nhau. Xin chuyển phiếu cho người phân xử.";
    /// Nothing to decide.
    KEYING_NOT_DISPUTED = 409 "keying_not_disputed" "Phiếu này không có mục nào cần phân xử.";
    /// Keyed and cast.
    KEYING_ALREADY_CAST = 409 "keying_already_cast" "Phiếu này đã nhập xong và đã ở trong hòm phiếu.";
    /// Page images that are none, are cut off, or are too many.
    SCAN_INVALID = 422 "scan_invalid" "Trang quét không hợp lệ: chỉ nhận JPEG, PNG hoặc PDF còn nguyên vẹn, nhiều nhất 12 trang. Chưa có gì được lưu.";
    /// A decision without a blind reading before it.
    KEYING_READING_MISSING = 409 "keying_reading_missing" "Xin đọc các mục lệch trên phiếu giấy trước khi xem hai lượt nhập và quyết định.";
    /// The key of a command came before with another body.
    IDEMPOTENCY_KEY_REUSED = 422 "idempotency_key_reused" "Lệnh này đã được gửi trước đó với nội dung khác. Nội dung đã lưu được giữ nguyên.";
    /// The same person, the same pass, another entry.
    KEYING_ENTRY_DIFFERS = 422 "keying_entry_differs" "Ông/bà đã lưu lượt này với nội dung khác. Nội dung đã lưu được giữ nguyên.";
    /// Two entries agree; the ballot waits for the reading of a sample.
    KEYING_AWAITS_SAMPLE = 409 "keying_awaits_sample" "Phiếu này được rút làm mẫu kiểm tra. Xin chuyển phiếu cho người đọc mẫu.";
    /// Set aside with a question about the whole ballot.
    KEYING_SET_ASIDE = 409 "keying_set_aside" "Phiếu này đang được để riêng vì có sự cố. Xin chờ phụ trách giải quyết tại trang Sự cố.";
    /// Void by the word of two.
    KEYING_VOID = 409 "keying_void" "Phiếu này đã được hai người xác nhận là không hợp lệ nên không nhập.";
    /// Neither set aside nor void.
    KEYING_NOT_SET_ASIDE = 409 "keying_not_set_aside" "Phiếu này không nằm trong các phiếu để riêng.";
    /// Nothing was keyed that could be keyed anew.
    KEYING_NOTHING_TO_REOPEN = 409 "keying_nothing_to_reopen" "Phiếu này chưa có lượt nhập nào để mở lại.";
    /// A paper code in no bundle.
    KEYING_NO_BUNDLE = 409 "keying_no_bundle" "Phiếu này không thuộc bó nào. Xin để riêng phiếu và báo phụ trách.";
    /// The bundle belongs to another post office.
    KEYING_OTHER_OFFICE = 403 "keying_other_office" "Phiếu này thuộc bó của bưu điện khác. Xin để riêng phiếu và báo phụ trách.";
    /// Paper is received before it is keyed.
    KEYING_NOT_RECEIVED = 409 "keying_not_received" "Bó của phiếu này chưa được kiểm nhận. Xin kiểm nhận bó tại trang Bó phiếu rồi mới nhập.";
    /// The bundle's numbers do not add up.
    KEYING_DISCREPANCY = 409 "keying_discrepancy" "Số phiếu của bó không khớp. Phụ trách phải ghi giải trình rồi mới nhập được.";
    /// Two have signed for the bundle.
    KEYING_BUNDLE_LOCKED = 409 "keying_bundle_locked" "Bó của phiếu này đã được hai người ký khóa, không nhập thêm được.";
    /// The sheet counts as gone.
    KEYING_SHEET_GONE = 409 "keying_sheet_gone" "Tờ phiếu này đang được ghi là hỏng, thất lạc hoặc không thu về. Xin báo phụ trách ghi nhận đã tìm thấy rồi mới nhập.";
    /// No second pass before every ballot of the bundle has a first.
    KEYING_FIRSTS_MISSING = 409 "keying_firsts_missing" "Bó này còn phiếu chưa nhập lượt 1. Nhập xong lượt 1 cả bó rồi mới nhập lượt 2.";

    /// No paper of this id was set aside.
    REFERRAL_UNKNOWN = 404 "referral_unknown" "Không có sự cố này.";
    /// Somebody has decided about it.
    REFERRAL_SETTLED = 409 "referral_settled" "Sự cố này đã được giải quyết. Xin tải lại trang để xem.";
    /// Only a used code makes a duplicate; only what belongs to no bundle is set aside; and so on.
    VERDICT_UNFIT = 409 "verdict_unfit" "Cách giải quyết này không hợp với tờ phiếu: phiếu trùng phải có mã đã dùng, phiếu đã vào hòm không nhập lại được, phiếu có số trong bó không để ngoài đợt được.";

    // bundles of paper
    /// No such bundle, or not this post office's.
    BUNDLE_UNKNOWN = 404 "bundle_unknown" "Không có bó phiếu này.";
    /// The step before is missing.
    BUNDLE_TOO_EARLY = 409 "bundle_too_early" "Bó phiếu chưa đến bước này. Xin làm bước trước đã.";
    /// Done before.
    BUNDLE_PAST = 409 "bundle_past" "Bước này đã làm rồi.";
    /// Signed by two.
    BUNDLE_LOCKED = 409 "bundle_locked" "Bó phiếu đã được hai người ký khóa, không thay đổi được nữa.";
    /// A supervisor has to say why.
    BUNDLE_DISCREPANCY = 409 "bundle_discrepancy" "Số phiếu của bó không khớp. Phụ trách phải ghi giải trình đã.";
    /// The numbers add up.
    BUNDLE_NOTHING_TO_NOTE = 409 "bundle_nothing_to_note" "Số phiếu của bó khớp, không có gì phải giải trình.";
    /// Two sign.
    BUNDLE_SAME_PERSON = 409 "bundle_same_person" "Ông/bà đã ký bó này. Chữ ký thứ hai phải của người khác.";
    /// Ballots are not settled, or the sample was not read.
    BUNDLE_NOT_SETTLED = 409 "bundle_not_settled" "Bó phiếu chưa xong: còn phiếu chưa nhập đủ, chưa phân xử, còn sự cố hoặc chưa kiểm tra mẫu.";
    /// A device still holds finished entries.
    BUNDLE_ON_DEVICES = 409 "bundle_on_devices" "Còn máy chưa gửi hết các lượt nhập của bó này. Xin nối mạng máy ấy và đợi gửi xong.";
    /// Everything is settled already.
    BUNDLE_NOTHING_TO_SAMPLE = 409 "bundle_nothing_to_sample" "Không còn phiếu nào chưa vào hòm để rút mẫu.";
    /// The ballot of the sheet is in the box.
    SHEET_KEYED = 409 "sheet_keyed" "Phiếu của tờ này đã nhập xong, không ghi là hỏng hay thất lạc được.";
    /// The sheet has left already.
    SHEET_GONE = 409 "sheet_gone" "Tờ này đã được ghi là hỏng, thất lạc hoặc không thu về.";
    /// The sheet is not gone.
    SHEET_HERE = 409 "sheet_here" "Tờ này không bị ghi là thất lạc.";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn names_are_unique_and_statuses_are_errors() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|c| c.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|c| (400..600).contains(&c.status)));
    }
}
