//! People out of the lines of a list, or every fault of it.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{Field, Mapping};
use super::counts::RosterRow;
use super::grid::{Cell, Flaw, Grid, Line, letters};
use super::units::{Found, Units};
use super::{clean, fold, mailbox};
use crate::round::{Group, IssueMode, Quota, Round, Sources};

/// Longest name, in characters.
const NAME_MAX: usize = 120;
/// Of a value inside a fault.
const SHOWN: usize = 80;
/// Most people of one line of a list without names.
const PEOPLE_MAX: u32 = 100_000;

/// Somebody who is invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The group.
    pub respondent_code: String,
    /// The unit; empty where the group has none.
    pub unit_code: String,
    /// The whole name, NFC.
    pub name: String,
    /// E-mail address; always there in a group whose letters are addressed.
    pub email: Option<String>,
    /// Line of the list.
    pub row: u32,
}

/// What a list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// People by name.
    People(Vec<Invited>),
    /// Head counts.
    Counts(Vec<RosterRow>),
}

/// One thing to mend in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Line in the file or sheet, from 1; 0 for the whole list.
    pub row: u32,
    /// Letter and heading of the column; empty for the whole line.
    pub column: String,
    /// Stable code for programs.
    pub code: &'static str,
    /// What stands there, shortened.
    pub value: String,
    /// Why it cannot be taken and what to do, in Vietnamese.
    pub reason: String,
}

/// Reads a list with this mapping; `group` is for lists of one group without a column for it.
///
/// # Errors
/// Every fault; then nothing of the list may be used.
pub fn check(grid: &Grid, mapping: &Mapping, round: &Round, group: Option<&str>) -> Result<List, Vec<RowFault>> {
    let mut reading = Reading::new(grid, mapping, round, group);
    let list = reading.list();
    if reading.faults.is_empty() { Ok(list) } else { Err(reading.faults) }
}

struct Reading<'a> {
    grid: &'a Grid,
    mapping: &'a Mapping,
    round: &'a Round,
    fixed_group: Option<&'a str>,
    units: Units<'a>,
    faults: Vec<RowFault>,
    /// Unit of the last line that was a heading by itself.
    section: Option<String>,
}

impl<'a> Reading<'a> {
    fn new(grid: &'a Grid, mapping: &'a Mapping, round: &'a Round, fixed_group: Option<&'a str>) -> Self {
        Self { grid, mapping, round, fixed_group, units: Units::of(round), faults: Vec::new(), section: None }
    }

    fn fault(&mut self, row: u32, column: Option<usize>, code: &'static str, value: &str, reason: impl Into<String>) {
        let heading = self.mapping.heading.and_then(|number| self.grid.line(number));
        let column = column.map_or_else(String::new, |column| {
            let name = heading.map(|line| line.text(column)).unwrap_or_default();
            format!("{} {}", letters(column), shortened(&name)).trim().to_owned()
        });
        self.faults.push(RowFault { row, column, code, value: shortened(value), reason: reason.into() });
    }

    fn list(&mut self) -> List {
        let counts = self.mapping.column(Field::People).is_some() && !self.has_name();
        let empty = if counts { List::Counts(Vec::new()) } else { List::People(Vec::new()) };
        if !counts && !self.has_name() {
            self.fault(0, None, "column_missing", "", "Chưa biết cột nào là họ và tên. Xin chọn cột.");
        }
        match self.fixed_group {
            Some(code) if self.round.group(code).is_none() => {
                self.fault(0, None, "group_unknown", code, "Đợt điều tra không có nhóm này.");
            }
            None if self.mapping.column(Field::Group).is_none() => {
                let reason = "Danh sách không có cột mã phiếu (nhóm). Xin chọn nhóm cho cả danh sách, hoặc thêm cột.";
                self.fault(0, None, "column_missing", "", reason);
            }
            _ => {}
        }
        if !self.faults.is_empty() {
            return empty;
        }
        let first = self.mapping.heading.unwrap_or(0);
        let mut people = Vec::new();
        let mut rows: BTreeMap<(String, String), (u32, u32)> = BTreeMap::new();
        for line in self.grid.lines.iter().filter(|line| line.number > first) {
            if self.is_beside(line, line.number <= first.saturating_add(2)) {
                continue;
            }
            if counts {
                self.count(line, &mut rows);
            } else {
                people.extend(self.person(line));
            }
        }
        self.doubles(&people);
        self.quotas(&people);
        if counts {
            let row = |((group, unit), (_, people))| RosterRow { respondent_code: group, unit_code: unit, people };
            let rows: Vec<RosterRow> = rows.into_iter().map(row).collect();
            if rows.is_empty() && self.faults.is_empty() {
                self.fault(0, None, "list_empty", "", "Dưới dòng tiêu đề không có dòng nào.");
            }
            return List::Counts(rows);
        }
        if people.is_empty() && self.faults.is_empty() {
            self.fault(0, None, "list_empty", "", "Dưới dòng tiêu đề không có người nào.");
        }
        self.faults.sort_by_key(|fault| fault.row);
        List::People(people)
    }

    fn has_name(&self) -> bool {
        [Field::Name, Field::GivenName].into_iter().any(|field| self.mapping.column(field).is_some())
    }

    /// Whether a line is none of a person: numbers of columns, a sum, signatures, a unit above its people.
    fn is_beside(&mut self, line: &Line, below_heading: bool) -> bool {
        let said: Vec<(usize, String)> =
            (0..line.cells.len()).map(|at| (at, line.text(at))).filter(|(_, text)| !text.is_empty()).collect();
        let numbers = |text: &str| text.chars().all(|sign| sign.is_ascii_digit() || "()=.".contains(sign));
        if said.is_empty() {
            return !line.cells.iter().any(|cell| cell.flaw.is_some());
        }
        if below_heading && said.len() > 1 && said.iter().all(|(_, text)| text.len() <= 4 && numbers(text)) {
            return true;
        }
        let folded: Vec<String> = said.iter().map(|(_, text)| fold(text)).collect();
        let first = folded.iter().find(|text| !text.is_empty()).map_or("", String::as_str);
        if ["tong cong", "tong so", "cong", "tong"].iter().any(|word| first == *word || first.starts_with("tong cong"))
        {
            return true;
        }
        let written = said.iter().filter(|(_, text)| !is_numeral(text)).collect::<Vec<_>>();
        let [(at, text)] = written.as_slice() else { return false };
        if text.contains('@') || line.cells.iter().any(|cell| cell.flaw.is_some()) {
            return false;
        }
        if let Found::One(unit) = self.units.find(text.trim_start_matches(|c: char| !c.is_alphabetic()), "", &[]) {
            self.section = Some(unit.code.clone());
            return true;
        }
        let folded = fold(text);
        let signed = ["nguoi lap", "ky ten", "noi nhan", "thu truong", "giam doc", "chu tich", "ngay thang", "ghi chu"];
        if signed.iter().any(|word| folded.starts_with(word)) || (folded.contains("ngay") && folded.contains("thang")) {
            return true;
        }
        let is_name = [Field::Name, Field::GivenName].iter().any(|field| self.mapping.column(*field) == Some(*at));
        if !is_name {
            let reason = "Dòng chỉ có một ô và không phải tên đơn vị nào của đợt. Xin xóa dòng hoặc sửa tên đơn vị.";
            self.fault(line.number, Some(*at), "row_unclear", text, reason);
            return true;
        }
        false
    }

    /// A cell's text, or a fault where the cell cannot be used.
    fn text(&mut self, line: &Line, field: Field) -> String {
        let Some(column) = self.mapping.column(field) else { return String::new() };
        let Cell { text, flaw } = line.cell(column);
        let Some(flaw) = flaw else { return clean(&text) };
        let (code, reason) = match flaw {
            Flaw::Formula => ("cell_formula", "Ô có công thức chưa được tính. Xin dán giá trị.".to_owned()),
            Flaw::Date => ("cell_date", "Phần mềm bảng tính đã đổi ô này thành ngày tháng. Xin gõ lại.".to_owned()),
            Flaw::ErrorValue => ("cell_error", "Ô báo lỗi (như #N/A). Xin gõ lại.".to_owned()),
            Flaw::TooLong(letters) => (
                "cell_too_long",
                format!("Ô dài từ {letters} ký tự. Xin xem lại dấu nháy, hoặc chỉ giữ nội dung cần thiết."),
            ),
        };
        self.fault(line.number, Some(column), code, "", reason);
        String::new()
    }

    fn group(&mut self, line: &Line) -> Option<&'a Group> {
        if let Some(code) = self.fixed_group {
            return self.round.group(code);
        }
        let written = self.text(line, Field::Group);
        let folded = fold(&written);
        let groups = &self.round.groups;
        let found = groups.iter().find(|group| fold(&group.code) == folded || fold(&group.name) == folded);
        if found.is_none() {
            let codes: Vec<&str> = groups.iter().map(|group| group.code.as_str()).collect();
            let reason = format!("Không có nhóm này. Các mã phiếu của đợt: {}.", codes.join(", "));
            self.fault(line.number, self.mapping.column(Field::Group), "group_unknown", &written, reason);
        }
        found
    }

    fn unit(&mut self, line: &Line, group: &Group) -> Option<String> {
        let Sources::Kinds(kinds) = &group.sources else { return Some(String::new()) };
        let column = self.mapping.column(Field::Unit);
        let (written, parent) = (self.text(line, Field::Unit), self.text(line, Field::Parent));
        if written.is_empty() {
            if let Some(section) = self.section.clone() {
                return Some(section);
            }
            self.fault(line.number, column, "unit_missing", "", "Thiếu đơn vị công tác.");
            return None;
        }
        match self.units.find(&written, &parent, kinds) {
            Found::One(unit) => Some(unit.code.clone()),
            Found::Several(names) => {
                let reason = format!("Có nhiều đơn vị tên như vậy: {}. Xin viết đủ tên.", names.join("; "));
                self.fault(line.number, column, "unit_ambiguous", &written, reason);
                None
            }
            Found::None(alike) => {
                let (code, reason) = match self.units.find(&written, &parent, &[]) {
                    Found::One(unit) => (
                        "unit_not_source",
                        format!("Nhóm {} không hỏi người của {}. Xin sửa đơn vị hoặc nhóm.", group.code, unit.name),
                    ),
                    _ if alike.is_empty() => ("unit_unknown", "Đợt điều tra không có đơn vị này.".to_owned()),
                    _ => ("unit_unknown", format!("Đợt điều tra không có đơn vị này. Có phải: {}?", alike.join("; "))),
                };
                self.fault(line.number, column, code, &written, reason);
                None
            }
        }
    }

    fn person(&mut self, line: &Line) -> Option<Invited> {
        let before = self.faults.len();
        let group = self.group(line);
        let unit = group.and_then(|group| self.unit(line, group));
        let name = self.name(line);
        let written = self.text(line, Field::Email);
        let addressed = group.is_some_and(|group| group.issue == IssueMode::Addressed);
        let email = match mailbox::parse(&written) {
            Ok(email) => Some(email),
            Err(_) if written.is_empty() && !addressed => None,
            Err(_) if written.is_empty() => {
                let reason = "Thiếu địa chỉ thư điện tử: nhóm này nhận mã qua thư gửi từng người.";
                self.fault(line.number, self.mapping.column(Field::Email), "email_missing", "", reason);
                None
            }
            Err(reason) => {
                self.fault(line.number, self.mapping.column(Field::Email), "email_invalid", &written, reason);
                None
            }
        };
        if self.faults.len() > before {
            return None;
        }
        Some(Invited { respondent_code: group?.code.clone(), unit_code: unit?, name: name?, email, row: line.number })
    }

    fn name(&mut self, line: &Line) -> Option<String> {
        let field = if self.mapping.column(Field::Name).is_some() { Field::Name } else { Field::GivenName };
        let column = self.mapping.column(field);
        let before = self.faults.len();
        let mut name = self.text(line, field);
        if field == Field::GivenName {
            name = clean(&format!("{} {name}", self.text(line, Field::FamilyName)));
        }
        let wrong = if self.faults.len() > before {
            return None;
        } else if name.is_empty() {
            Some(("name_missing", "Thiếu họ và tên."))
        } else if name.starts_with(['=', '+', '-', '@']) {
            Some(("name_formula", "Họ và tên bắt đầu bằng dấu của công thức (=, +, -, @). Xin gõ lại."))
        } else if name.chars().count() > NAME_MAX {
            Some(("name_too_long", "Họ và tên quá dài. Xin kiểm tra ô này."))
        } else if !name.chars().any(char::is_alphabetic) || name.chars().any(char::is_control) {
            Some(("name_invalid", "Ô này không phải họ và tên."))
        } else {
            None
        };
        if let Some((code, reason)) = wrong {
            self.fault(line.number, column, code, &name, reason);
            return None;
        }
        Some(name)
    }

    fn count(&mut self, line: &Line, rows: &mut BTreeMap<(String, String), (u32, u32)>) {
        let group = self.group(line);
        let unit = group.and_then(|group| self.unit(line, group));
        let written = self.text(line, Field::People);
        let people = written.parse::<u32>().ok().filter(|people| (1..=PEOPLE_MAX).contains(people));
        let column = self.mapping.column(Field::People);
        if people.is_none() {
            let reason = format!("Số người phải là số nguyên từ 1 đến {PEOPLE_MAX}.");
            self.fault(line.number, column, "number_range", &written, reason);
        }
        let (Some(group), Some(unit), Some(people)) = (group, unit, people) else { return };
        if group.quota != Quota::Roster {
            let reason = "Chỉ tiêu của nhóm này đã cố định trong đợt. Xin bỏ dòng này.";
            self.fault(line.number, column, "quota_fixed", &group.code, reason);
        } else if group.issue == IssueMode::Addressed {
            let reason = "Nhóm này nhận thư gửi từng người: cần danh sách có họ tên và địa chỉ thư.";
            self.fault(line.number, column, "needs_people", &group.code, reason);
        }
        let key = (group.code.clone(), unit);
        if let Some((first, _)) = rows.get(&key).copied() {
            let reason = format!("Nhóm và đơn vị này đã có ở dòng {first}. Xin giữ một dòng.");
            self.fault(line.number, self.mapping.column(Field::Unit), "row_double", &key.1, reason);
        } else {
            rows.insert(key, (line.number, people));
        }
    }

    /// One person, one letter: an address stands once in the whole list, a name once in its unit.
    fn doubles(&mut self, people: &[Invited]) {
        let mut addresses: BTreeMap<String, &Invited> = BTreeMap::new();
        let mut names: BTreeMap<(String, &str), Vec<&Invited>> = BTreeMap::new();
        let mut faults = Vec::new();
        for one in people {
            let known = one.email.as_ref().and_then(|email| addresses.get(&email.to_lowercase()).copied());
            if let Some(first) = known {
                let (code, reason) = if first.respondent_code != one.respondent_code {
                    (
                        "person_in_two_groups",
                        format!(
                            "Người này đã có ở dòng {} trong nhóm {}. Mỗi người một nhóm.",
                            first.row, first.respondent_code
                        ),
                    )
                } else {
                    (
                        "email_double",
                        format!(
                            "Địa chỉ thư này đã có ở dòng {} ({}). Mỗi người một địa chỉ riêng.",
                            first.row, first.name
                        ),
                    )
                };
                faults.push((one.row, Field::Email, code, one.email.clone().unwrap_or_default(), reason));
                continue;
            }
            if let Some(email) = &one.email {
                addresses.insert(email.to_lowercase(), one);
            }
            let same = names.entry((fold_marks(&one.name), one.unit_code.as_str())).or_default();
            if let Some(first) = same.iter().find(|other| !self.apart(other, one)) {
                let (code, reason) = if first.respondent_code != one.respondent_code {
                    (
                        "person_in_two_groups",
                        format!(
                            "Người này đã có ở dòng {} trong nhóm {}. Mỗi người một nhóm.",
                            first.row, first.respondent_code
                        ),
                    )
                } else {
                    (
                        "person_double",
                        format!(
                            "Người này đã có ở dòng {}. Nếu là người trùng tên, xin ghi số điện thoại hoặc địa chỉ thư của từng người.",
                            first.row
                        ),
                    )
                };
                faults.push((one.row, Field::Name, code, one.name.clone(), reason));
            }
            same.push(one);
        }
        for (row, field, code, value, reason) in faults {
            let column = self.mapping.column(field).or_else(|| self.mapping.column(Field::GivenName));
            self.fault(row, column, code, &value, reason);
        }
    }

    /// Whether two people of one name are two: their addresses or telephones differ.
    fn apart(&self, one: &Invited, other: &Invited) -> bool {
        let phone = |row: u32| {
            let line = self.grid.line(row)?;
            telephone(&line.text(self.mapping.column(Field::Phone)?))
        };
        let differ = |a: Option<String>, b: Option<String>| a.is_some() && b.is_some() && a != b;
        differ(one.email.clone(), other.email.clone()) || differ(phone(one.row), phone(other.row))
    }

    /// No more people than the plan has ballots.
    fn quotas(&mut self, people: &[Invited]) {
        let mut units: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        let mut groups: BTreeMap<&str, u32> = BTreeMap::new();
        let mut told = BTreeSet::new();
        for one in people {
            let Some(group) = self.round.group(&one.respondent_code) else { continue };
            let in_group = groups.entry(&one.respondent_code).or_default();
            *in_group += 1;
            let in_unit = units.entry((&one.respondent_code, &one.unit_code)).or_default();
            *in_unit += 1;
            let reason = match &group.quota {
                Quota::Roster => continue,
                _ if group.issue == IssueMode::Draw => {
                    if told.insert(&one.respondent_code) {
                        let reason = "Chỉ tiêu của nhóm này đã cố định và mã được bốc thăm: không cần danh sách người.";
                        self.fault(one.row, self.mapping.column(Field::Group), "quota_fixed", &group.code, reason);
                    }
                    continue;
                }
                Quota::Fixed(most) if *in_group > *most => {
                    format!("Nhóm chỉ có {most} phiếu; đây là người thứ {in_group}.")
                }
                Quota::PerSourceUnit { per, of } => {
                    let here = self.round.unit(&one.unit_code).is_some_and(|unit| unit.kind == *of);
                    let most = if here { *per } else { 0 };
                    if *in_unit <= most {
                        continue;
                    }
                    format!("Mỗi đơn vị chỉ có {most} phiếu; đây là người thứ {in_unit} của đơn vị.")
                }
                _ => continue,
            };
            let name = one.name.clone();
            self.fault(one.row, None, "over_quota", &name, reason);
        }
    }
}

/// Marks stay: Hồng and Hong are two names; case and spacing do not.
fn fold_marks(name: &str) -> String {
    name.to_lowercase()
}

/// `1`, `IV.`, `a)`: the number of a line.
fn is_numeral(text: &str) -> bool {
    let bare = text.trim_end_matches(['.', ')', '/', ' ']);
    bare.chars().all(|sign| sign.is_ascii_digit())
        || bare.chars().all(|sign| "IVXLC".contains(sign))
        || (bare.chars().count() == 1 && bare != text)
}

/// The digits of a telephone number as people dial it here: `905 123 456`, read as a number, lacks its zero.
fn telephone(written: &str) -> Option<String> {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("84").filter(|rest| rest.len() >= 9).map_or(digits.clone(), str::to_owned);
    let digits = digits.trim_start_matches('0').to_owned();
    (digits.len() >= 8).then(|| format!("0{digits}"))
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        shown.push('…');
    }
    shown
}
