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
    /// No questionnaire for this respondent code.
    QUESTIONNAIRE_UNKNOWN = 404 "questionnaire_unknown" "Không có mẫu phiếu này trong đợt điều tra.";
    /// Answers at fault, listed in `errors`; nothing was stored.
    ANSWERS_INVALID = 422 "answers_invalid" "Phiếu có câu trả lời chưa hợp lệ. Chưa có gì được ghi nhận.";
    /// A paper ballot's code on the online form.
    CODE_IS_PAPER = 409 "code_is_paper" "Đây là mã của phiếu giấy. Xin ông/bà điền phiếu giấy và gửi lại theo hướng dẫn.";

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
    /// Unknown client, wrong secret, revoked.
    CLIENT_INVALID = 401 "invalid_client" "Máy khách không đúng hoặc đã bị thu hồi.";
    /// Only `client_credentials` is offered.
    GRANT_UNSUPPORTED = 400 "unsupported_grant_type" "Chỉ hỗ trợ grant_type=client_credentials.";
    /// Asked for a scope that the client does not have.
    SCOPE_INVALID = 400 "invalid_scope" "Phạm vi yêu cầu không được cấp cho máy khách này.";

    // scores
    /// Scores are released once, after the close.
    NOT_PUBLISHED = 409 "not_published" "Kết quả chưa được công bố.";
    /// The act does not fit the round's state.
    STATE_CONFLICT = 409 "state_conflict" "Đợt điều tra không ở trạng thái cho phép việc này.";
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
