//! What is said about a code that cannot be one. The page's script says the same without asking the server, so `#`
//! stands where a number goes.

/// Nothing was typed.
pub(super) const EMPTY: &str = "Xin nhập mã phiếu gồm 24 ký tự in trên giấy mời.";
/// How many symbols were typed.
pub(super) const LENGTH: &str = "Mã phiếu có 24 ký tự, ông/bà đã nhập #. Xin đếm lại từng nhóm bốn ký tự.";
/// Place of the symbol, its group, its place within the group.
pub(super) const SIGN: &str = "Ký tự thứ # (nhóm #, ký tự #) không có trong mã phiếu nào. Mã chỉ gồm chữ số và chữ cái không dấu, không có chữ U; nếu đang bật kiểu gõ tiếng Việt, xin tạm tắt.";
/// The check symbol does not fit.
pub(super) const CHECK: &str =
    "Có ký tự gõ nhầm hoặc đổi chỗ: mã không khớp với ký tự kiểm tra. Xin đối chiếu từng nhóm với giấy mời.";
/// Only the script says this: the server tries first.
pub(super) const MARKS: &str = "Bàn phím đang bật kiểu gõ tiếng Việt (Telex, VNI) nên có ký tự đổi thành chữ có dấu. Xin tắt kiểu gõ và gõ lại ký tự đó, hoặc cứ bấm “Tiếp tục” để hệ thống thử đọc.";

/// The words with their numbers.
pub(super) fn filled(words: &str, numbers: &[usize]) -> String {
    numbers.iter().fold(words.to_owned(), |words, number| words.replacen('#', &number.to_string(), 1))
}
