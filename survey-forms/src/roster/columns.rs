//! Which column is about what: guessed from the words above it, mended by people.

use std::collections::BTreeMap;

use super::fold;
use super::grid::{Grid, Line, letters};

/// What a column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The respondent group.
    Group,
    /// Where the person works.
    Unit,
    /// The unit above it, where unit names alone leave a choice.
    Parent,
    /// The whole name.
    Name,
    /// Family and middle names, in a column of their own.
    FamilyName,
    /// The given name, beside [`Field::FamilyName`].
    GivenName,
    /// E-mail address.
    Email,
    /// Telephone; only tells two people of one name apart.
    Phone,
    /// How many people, in a list without names.
    People,
}

impl Field {
    /// Every one, in the order in which pages ask.
    pub const ALL: [Self; 9] = [
        Self::Name,
        Self::FamilyName,
        Self::GivenName,
        Self::Unit,
        Self::Parent,
        Self::Email,
        Self::Phone,
        Self::Group,
        Self::People,
    ];

    /// For programs.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Unit => "unit",
            Self::Parent => "parent",
            Self::Name => "name",
            Self::FamilyName => "family_name",
            Self::GivenName => "given_name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::People => "people",
        }
    }

    /// For people.
    #[must_use]
    pub const fn vietnamese(self) -> &'static str {
        match self {
            Self::Group => "Mã phiếu (nhóm)",
            Self::Unit => "Đơn vị công tác",
            Self::Parent => "Cơ quan cấp trên",
            Self::Name => "Họ và tên",
            Self::FamilyName => "Họ và tên đệm",
            Self::GivenName => "Tên",
            Self::Email => "Thư điện tử",
            Self::Phone => "Điện thoại",
            Self::People => "Số người",
        }
    }

    /// The field with this key.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.key() == key)
    }

    /// How surely a heading means this, from 1; 0 is not at all.
    fn fits(self, heading: &str) -> u8 {
        let is = |words: &[&str]| words.contains(&heading);
        let has = |words: &[&str]| words.iter().any(|word| format!(" {heading} ").contains(&format!(" {word} ")));
        let rank = |sure: bool, likely: bool| if sure { 3 } else { u8::from(likely) };
        match self {
            Self::Group => rank(
                is(&["ma phieu", "nhom", "ma nhom", "respondent code", "group", "doi tuong", "nhom doi tuong"]),
                has(&["ma phieu", "loai phieu", "mau phieu", "nhom doi tuong", "doi tuong dieu tra"]),
            ),
            Self::Unit => {
                let sure = is(&["don vi cong tac", "co quan cong tac", "don vi", "co quan", "unit", "unit code"]);
                let likely = has(&["don vi", "co quan", "noi cong tac", "phong ban", "phong chuyen mon"])
                    && !has(&["cap tren", "chu quan", "quan ly"]);
                rank(sure || has(&["don vi cong tac", "co quan cong tac"]), likely)
            }
            Self::Parent => rank(
                has(&["cap tren", "co quan chu quan", "don vi chu quan", "co quan quan ly"]),
                is(&["huyen", "dia ban", "thuoc", "truc thuoc", "huyen thi xa thanh pho", "cap huyen", "parent"]),
            ),
            Self::Name => {
                let sure = is(&["ho va ten", "ho ten", "name", "full name", "ten can bo", "ten cong chuc"]);
                let likely = has(&["ho va ten", "ho ten", "nguoi duoc moi", "ten nguoi"]);
                rank(sure, likely && !has(&["dem", "lot"]))
            }
            Self::FamilyName => rank(is(&["ho", "ho dem", "ho lot"]), has(&["dem", "ho lot", "ten lot", "chu lot"])),
            Self::GivenName => rank(is(&["ten"]), false),
            Self::Email => rank(
                is(&["email", "e mail", "thu dien tu", "mail"]),
                has(&["email", "e mail", "thu dien tu", "hop thu", "mail"]),
            ),
            Self::Phone => rank(
                is(&["dien thoai", "so dien thoai", "sdt", "di dong", "phone"]),
                has(&["dien thoai", "sdt", "so dt", "di dong", "dt", "phone", "tel", "mobile"]),
            ),
            Self::People => rank(
                is(&["so nguoi", "people", "so luong", "so phieu"]),
                has(&["so nguoi", "so luong", "so phieu", "tong so"]),
            ),
        }
    }
}

/// Which column is about what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Number of the last line of the headings; people stand below it.
    pub heading: Option<u32>,
    /// Column, from 0, of each field.
    pub columns: BTreeMap<Field, usize>,
}

/// How far down headings are looked for: titles of an office's list take a few lines.
const HEADING_WITHIN: usize = 40;

impl Mapping {
    /// Finds the headings and what they mean.
    #[must_use]
    pub fn guess(grid: &Grid) -> Self {
        let lines: Vec<&Line> = grid.lines.iter().take(HEADING_WITHIN).collect();
        let mut best = Self::default();
        for (index, line) in lines.iter().enumerate() {
            let mut columns = fields(line);
            let mut last = line.number;
            // A second line of headings, under a merged cell of the first.
            if let Some(next) = lines.get(index + 1).filter(|next| !next.cells.iter().any(|c| c.text.contains('@'))) {
                for (field, column) in fields(next) {
                    if !columns.contains_key(&field) && !columns.is_empty() && line.text(column).is_empty() {
                        columns.insert(field, column);
                        last = next.number;
                    } else if columns.get(&field).is_some_and(|other| *other == column) {
                        last = next.number;
                    }
                }
            }
            let usable = columns.len() >= 2 || columns.contains_key(&Field::Name);
            if usable && columns.len() > best.columns.len() {
                best = Self { heading: Some(last), columns };
            }
        }
        best
    }

    /// The column of a field.
    #[must_use]
    pub fn column(&self, field: Field) -> Option<usize> {
        self.columns.get(&field).copied()
    }

    /// Columns by letter or by their heading, such as `name=B,email=Thư điện tử`, in place of what was guessed; a field
    /// with nothing behind it has no column.
    ///
    /// # Errors
    /// The part that does not read.
    pub fn with(mut self, words: &str, grid: &Grid) -> Result<Self, String> {
        for part in words.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| part.to_owned())?;
            let value = value.trim();
            if key.trim() == "heading" {
                self.heading = Some(value.parse().map_err(|_number| part.to_owned())?);
                continue;
            }
            let field = Field::parse(key.trim()).ok_or_else(|| part.to_owned())?;
            if value.is_empty() {
                self.columns.remove(&field);
                continue;
            }
            let heading = self.heading.and_then(|number| grid.line(number));
            let named = |column: usize| heading.is_some_and(|line| fold(&line.text(column)) == fold(value));
            let found = (0..grid.width()).find(|column| letters(*column).eq_ignore_ascii_case(value) || named(*column));
            self.columns.insert(field, found.ok_or_else(|| part.to_owned())?);
        }
        Ok(self)
    }

    /// The same as words that [`Mapping::with`] reads.
    #[must_use]
    pub fn words(&self) -> String {
        let heading = self.heading.map(|number| format!("heading={number}"));
        let all = Field::ALL.into_iter().map(|field| {
            let column = self.column(field).map(letters).unwrap_or_default();
            format!("{}={column}", field.key())
        });
        heading.into_iter().chain(all).collect::<Vec<_>>().join(",")
    }
}

/// What the cells of a line would mean as headings. Of two columns that fit a field the surer one has it, or the first.
fn fields(line: &Line) -> BTreeMap<Field, usize> {
    let mut found: BTreeMap<Field, (u8, usize)> = BTreeMap::new();
    let headings: Vec<String> = line.cells.iter().map(|cell| fold(&cell.text)).collect();
    for (column, heading) in headings.iter().enumerate().filter(|(_, heading)| heading.chars().count() <= 60) {
        let best = Field::ALL.into_iter().map(|field| (field.fits(heading), field)).max_by_key(|(sure, _)| *sure);
        if let Some((sure, field)) = best
            && sure > found.get(&field).map_or(0, |(known, _)| *known)
        {
            found.insert(field, (sure, column));
        }
    }
    // "Tên" alone is a whole name where no column has the rest of it.
    if !found.contains_key(&Field::FamilyName)
        && !found.contains_key(&Field::Name)
        && let Some(given) = found.remove(&Field::GivenName)
    {
        found.insert(Field::Name, given);
    }
    found.into_iter().map(|(field, (_, column))| (field, column)).collect()
}
