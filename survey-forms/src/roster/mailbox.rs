//! What people write where an e-mail address belongs.

/// Names that are mistyped often, with what was meant.
const SLIPS: [(&str, &str); 10] = [
    ("gmail.con", "gmail.com"),
    ("gmail.co", "gmail.com"),
    ("gmail.vn", "gmail.com"),
    ("gmail.com.vn", "gmail.com"),
    ("gmai.com", "gmail.com"),
    ("gmial.com", "gmail.com"),
    ("gmaill.com", "gmail.com"),
    ("yahoo.con", "yahoo.com"),
    ("yaho.com", "yahoo.com"),
    ("hotmail.con", "hotmail.com"),
];

/// Longest parts of an address (RFC 5321, 4.5.3.1).
const LOCAL_MAX: usize = 64;
const WHOLE_MAX: usize = 254;

/// Reads an address; only what every mail server takes: `name@host.domain`, letters without marks.
///
/// # Errors
/// What is wrong, in Vietnamese.
pub(super) fn parse(written: &str) -> Result<String, String> {
    let text = written.trim();
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let text = text.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or(text);
    if text.matches('@').count() > 1 {
        return Err("Ô này có hơn một địa chỉ thư. Mỗi người một địa chỉ.".to_owned());
    }
    let Some((local, domain)) = text.split_once('@') else {
        return Err("Địa chỉ thư thiếu dấu @.".to_owned());
    };
    if text.contains(char::is_whitespace) {
        return Err("Địa chỉ thư có khoảng trắng ở giữa.".to_owned());
    }
    if !text.is_ascii() {
        return Err("Địa chỉ thư có chữ có dấu hoặc ký tự lạ.".to_owned());
    }
    if text.ends_with(['.', ',', ';']) {
        return Err("Địa chỉ thư có dấu thừa ở cuối.".to_owned());
    }
    let domain = domain.to_ascii_lowercase();
    let local_fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let dots = |part: &str| part.starts_with('.') || part.ends_with('.') || part.contains("..");
    if local.is_empty() || local.len() > LOCAL_MAX || !local.bytes().all(local_fits) || dots(local) {
        return Err("Phần trước dấu @ của địa chỉ thư không đúng.".to_owned());
    }
    let label = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    let named = domain.contains('.') && last.len() >= 2 && last.bytes().all(|b| b.is_ascii_alphabetic());
    if text.len() > WHOLE_MAX || !domain.split('.').all(label) || !named {
        return Err("Tên miền sau dấu @ của địa chỉ thư không đúng.".to_owned());
    }
    if let Some((_, meant)) = SLIPS.iter().find(|(slip, _)| *slip == domain) {
        return Err(format!("Tên miền {domain} có lẽ viết nhầm; có phải {meant}?"));
    }
    Ok(format!("{local}@{domain}"))
}
