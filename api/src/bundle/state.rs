//! How far a bundle is: a closed set of states, each with what it owes itself to, and moves that can refuse. What lies
//! between `balanced` and `locked` follows from the bundle's ballots ([`Stage::of`]) and is not kept.

use super::custody::Exit;

/// Who acts: the id of a member of staff.
type Person = String;

/// The bundle itself: where its sheets are as a whole, counted and signed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bundle {
    /// Its sheets are numbered.
    Planned,
    /// Somebody has it.
    HandedOver {
        /// Name of whoever signed for it.
        holder: String,
    },
    /// It came back and was counted; the numbers were not compared yet.
    Received {
        /// Who has it.
        holder: String,
        /// Sheets that came back.
        counted: u32,
    },
    /// Every sheet is accounted for.
    Balanced {
        /// Who has it.
        holder: String,
        /// Sheets that came back.
        counted: u32,
    },
    /// The numbers do not add up; work goes on once a supervisor has said why.
    Discrepancy {
        /// Who has it.
        holder: String,
        /// Sheets that came back.
        counted: u32,
        /// Who said what about it.
        note: Option<(Person, String)>,
    },
    /// Signed for by two, archived.
    Locked {
        /// Who has it.
        holder: String,
        /// Sheets that came back.
        counted: u32,
        /// The supervisor's note, if there was one.
        note: Option<(Person, String)>,
        /// The two who signed.
        signed: [Person; 2],
    },
}

/// Where the sheets of a bundle are, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sheets {
    /// All that were printed, replaced ones too.
    pub printed: u32,
    /// Gone, by reason.
    pub spoiled: u32,
    /// Gone, by reason.
    pub undeliverable: u32,
    /// Gone, by reason.
    pub lost: u32,
    /// Gone, by reason.
    pub not_returned: u32,
}

impl Sheets {
    /// Sheets that are not known to be gone.
    #[must_use]
    pub const fn remaining(self) -> u32 {
        self.printed.saturating_sub(self.spoiled + self.undeliverable + self.lost + self.not_returned)
    }

    /// The bundle's equation: what was printed came back or has a reason. What was not returned is no reason but a
    /// difference, for a supervisor to say something about.
    #[must_use]
    pub const fn balance(self, counted: u32) -> bool {
        counted + self.spoiled + self.undeliverable + self.lost == self.printed
    }

    /// Takes one more sheet that left.
    #[must_use]
    pub const fn with(mut self, exit: Exit) -> Self {
        match exit {
            Exit::Spoiled => self.spoiled += 1,
            Exit::Undeliverable => self.undeliverable += 1,
            Exit::Lost => self.lost += 1,
            Exit::NotReturned => self.not_returned += 1,
        }
        self
    }
}

/// Why a bundle does not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleRefusal {
    /// The step before is missing.
    #[error("the bundle has not come so far")]
    TooEarly,
    /// This was done before.
    #[error("the bundle is past this")]
    Past,
    /// Two signed; nothing changes any more.
    #[error("the bundle is locked")]
    Locked,
    /// The numbers do not add up and no supervisor has said why.
    #[error("the bundle's numbers do not add up")]
    Discrepancy,
    /// The numbers add up: there is nothing to explain.
    #[error("the bundle's numbers add up")]
    NothingToNote,
    /// Each of the two signs once.
    #[error("this person has signed")]
    SamePerson,
    /// Its ballots are not all settled, or its sample was not read.
    #[error("the bundle's ballots are not all settled")]
    NotSettled,
}

impl Bundle {
    /// Somebody signs for the bundle.
    ///
    /// # Errors
    /// Unless it lies where it was printed.
    pub fn handed_over(&self, holder: &str) -> Result<Self, BundleRefusal> {
        match self {
            Self::Planned => Ok(Self::HandedOver { holder: holder.to_owned() }),
            Self::Locked { .. } => Err(BundleRefusal::Locked),
            _ => Err(BundleRefusal::Past),
        }
    }

    /// It came back and was counted. A bundle may be counted again until it is locked.
    ///
    /// # Errors
    /// Unless it was handed over.
    pub fn received(&self, counted: u32) -> Result<Self, BundleRefusal> {
        match self {
            Self::Planned => Err(BundleRefusal::TooEarly),
            Self::Locked { .. } => Err(BundleRefusal::Locked),
            Self::HandedOver { holder }
            | Self::Received { holder, .. }
            | Self::Balanced { holder, .. }
            | Self::Discrepancy { holder, .. } => Ok(Self::Received { holder: holder.clone(), counted }),
        }
    }

    /// Compares the count with the sheets; again whenever a sheet's place changes. A note stays with a difference.
    ///
    /// # Errors
    /// Unless it was counted.
    pub fn compared(&self, sheets: Sheets) -> Result<Self, BundleRefusal> {
        let (holder, counted, note) = match self {
            Self::Planned | Self::HandedOver { .. } => return Err(BundleRefusal::TooEarly),
            Self::Locked { .. } => return Err(BundleRefusal::Locked),
            Self::Received { holder, counted } | Self::Balanced { holder, counted } => (holder, *counted, None),
            Self::Discrepancy { holder, counted, note } => (holder, *counted, note.clone()),
        };
        let holder = holder.clone();
        Ok(if sheets.balance(counted) {
            Self::Balanced { holder, counted }
        } else {
            Self::Discrepancy { holder, counted, note }
        })
    }

    /// With another count: a sheet has gone, or was found, after the count.
    #[must_use]
    pub fn with_count(mut self, count: u32) -> Self {
        match &mut self {
            Self::Received { counted, .. } | Self::Balanced { counted, .. } | Self::Discrepancy { counted, .. } => {
                *counted = count;
            }
            Self::Planned | Self::HandedOver { .. } | Self::Locked { .. } => {}
        }
        self
    }

    /// Sheets that came back, once they were counted.
    #[must_use]
    pub const fn counted(&self) -> Option<u32> {
        match self {
            Self::Received { counted, .. }
            | Self::Balanced { counted, .. }
            | Self::Discrepancy { counted, .. }
            | Self::Locked { counted, .. } => Some(*counted),
            Self::Planned | Self::HandedOver { .. } => None,
        }
    }

    /// A supervisor says why the numbers do not add up.
    ///
    /// # Errors
    /// Unless they do not.
    pub fn noted(&self, by: &str, note: &str) -> Result<Self, BundleRefusal> {
        match self {
            Self::Discrepancy { holder, counted, .. } => Ok(Self::Discrepancy {
                holder: holder.clone(),
                counted: *counted,
                note: Some((by.to_owned(), note.to_owned())),
            }),
            Self::Balanced { .. } => Err(BundleRefusal::NothingToNote),
            Self::Locked { .. } => Err(BundleRefusal::Locked),
            Self::Planned | Self::HandedOver { .. } | Self::Received { .. } => Err(BundleRefusal::TooEarly),
        }
    }

    /// Whether its ballots may be keyed.
    ///
    /// # Errors
    /// Before it is counted, while a difference is unexplained, and once it is locked.
    pub fn may_key(&self) -> Result<(), BundleRefusal> {
        match self {
            Self::Balanced { .. } | Self::Discrepancy { note: Some(_), .. } => Ok(()),
            Self::Discrepancy { note: None, .. } => Err(BundleRefusal::Discrepancy),
            Self::Locked { .. } => Err(BundleRefusal::Locked),
            Self::Planned | Self::HandedOver { .. } | Self::Received { .. } => Err(BundleRefusal::TooEarly),
        }
    }

    /// The second of two signs: the bundle is locked. `first` has signed before.
    ///
    /// # Errors
    /// Unless the numbers are settled, every ballot is, and the two are two.
    pub fn signed(&self, first: &str, second: &str, stage: Stage) -> Result<Self, BundleRefusal> {
        self.may_key()?;
        if stage != Stage::Audited {
            return Err(BundleRefusal::NotSettled);
        }
        if first == second {
            return Err(BundleRefusal::SamePerson);
        }
        let signed = [first.to_owned(), second.to_owned()];
        match self {
            Self::Balanced { holder, counted } => {
                Ok(Self::Locked { holder: holder.clone(), counted: *counted, note: None, signed })
            }
            Self::Discrepancy { holder, counted, note } => {
                Ok(Self::Locked { holder: holder.clone(), counted: *counted, note: note.clone(), signed })
            }
            _ => Err(BundleRefusal::TooEarly),
        }
    }
}

/// How far the ballots of a bundle are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ballots {
    /// At the desk, whatever became of them: received and not gone.
    pub here: u32,
    /// Of these, no finished entry.
    pub awaiting_first: u32,
    /// Of these, one finished entry.
    pub awaiting_second: u32,
    /// Of these, two entries that differ.
    pub mismatched: u32,
    /// Of these, set aside with a question about the whole ballot.
    pub referred: u32,
    /// Of these, equal entries that wait for the third reading of a sample.
    pub awaiting_sample: u32,
    /// Of these, void by two persons' verdict.
    pub void: u32,
    /// Of these, settled and not yet in the box.
    pub verified: u32,
    /// Of these, in the box.
    pub cast: u32,
    /// Drawn for the sample.
    pub sampled: u32,
}

/// A bundle's stage, as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its sheets are numbered.
    Planned,
    /// Somebody has it.
    HandedOver,
    /// Counted, not compared.
    Received,
    /// The numbers do not add up and nobody has said why.
    Discrepancy,
    /// Being keyed for the first time.
    Balanced,
    /// Every ballot has a first entry.
    FirstComplete,
    /// Every ballot has two.
    SecondComplete,
    /// Every difference is decided, every question answered.
    Adjudicated,
    /// The sample was read, or a supervisor has said why not.
    Audited,
    /// Signed by two.
    Locked,
}

impl Stage {
    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Planned => "Đã lập bó",
            Self::HandedOver => "Đã bàn giao",
            Self::Received => "Đã thu về",
            Self::Discrepancy => "Lệch số, chờ giải trình",
            Self::Balanced => "Đang nhập lượt 1",
            Self::FirstComplete => "Xong lượt 1",
            Self::SecondComplete => "Xong lượt 2",
            Self::Adjudicated => "Đã phân xử xong",
            Self::Audited => "Đã kiểm tra mẫu, chờ ký khóa",
            Self::Locked => "Đã khóa",
        }
    }

    /// The stage of a bundle with these ballots; `waived` when a supervisor has said why no sample is read.
    #[must_use]
    pub fn of(bundle: &Bundle, ballots: Ballots, waived: bool) -> Self {
        match bundle {
            Bundle::Planned => Self::Planned,
            Bundle::HandedOver { .. } => Self::HandedOver,
            Bundle::Received { .. } => Self::Received,
            Bundle::Discrepancy { note: None, .. } => Self::Discrepancy,
            Bundle::Locked { .. } => Self::Locked,
            Bundle::Balanced { .. } | Bundle::Discrepancy { .. } => {
                if ballots.awaiting_first > 0 {
                    Self::Balanced
                } else if ballots.awaiting_second > 0 {
                    Self::FirstComplete
                } else if ballots.mismatched + ballots.referred + ballots.verified > 0 {
                    Self::SecondComplete
                } else if ballots.awaiting_sample > 0 || (ballots.sampled == 0 && ballots.cast > 0 && !waived) {
                    Self::Adjudicated
                } else {
                    Self::Audited
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Event {
        HandOver,
        Receive(u32),
        Leave(Exit),
        Compare,
        Note(u8),
        Sign(u8, u8, bool),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            Just(Event::HandOver),
            (0_u32..6).prop_map(Event::Receive),
            prop::sample::select(Exit::ALL.to_vec()).prop_map(Event::Leave),
            Just(Event::Compare),
            (0_u8..3).prop_map(Event::Note),
            (0_u8..3, 0_u8..3, any::<bool>()).prop_map(|(a, b, done)| Event::Sign(a, b, done)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever happens, a locked bundle was counted, adds up or has a note, and bears two names.
        #[test]
        fn no_sequence_of_events_locks_what_does_not_add_up(events in prop::collection::vec(event(), 0..24)) {
            let mut bundle = Bundle::Planned;
            let mut sheets = Sheets { printed: 5, ..Sheets::default() };
            let (mut counted, mut noted) = (None, false);
            for event in events {
                let next = match &event {
                    Event::HandOver => bundle.handed_over("bưu tá"),
                    Event::Receive(n) => bundle.received(*n),
                    Event::Leave(exit) => {
                        if sheets.remaining() > 0 && !matches!(bundle, Bundle::Locked { .. }) {
                            sheets = sheets.with(*exit);
                        }
                        bundle.compared(sheets)
                    }
                    Event::Compare => bundle.compared(sheets),
                    Event::Note(by) => bundle.noted(&by.to_string(), "vì mưa"),
                    Event::Sign(a, b, done) => {
                        let stage = if *done { Stage::Audited } else { Stage::SecondComplete };
                        bundle.signed(&a.to_string(), &b.to_string(), stage)
                    }
                };
                let Ok(next) = next else { continue };
                prop_assert!(!matches!(bundle, Bundle::Locked { .. }), "nothing moves a locked bundle");
                match event {
                    Event::Receive(n) => { counted = Some(n); noted = false; }
                    Event::Note(_) => noted = true,
                    _ => {}
                }
                if matches!(next, Bundle::Balanced { .. }) {
                    noted = false;
                }
                if next.may_key().is_ok() {
                    let counted = counted.unwrap_or_default();
                    prop_assert!(noted || sheets.balance(counted), "{next:?} {sheets:?}");
                }
                if let Bundle::Locked { signed: [a, b], note, counted: kept, .. } = &next {
                    prop_assert_ne!(a, b);
                    prop_assert_eq!(Some(*kept), counted);
                    prop_assert!(note.is_some() || sheets.balance(*kept));
                }
                bundle = next;
            }
        }
    }

    #[test]
    fn each_refusal_says_why() {
        let sheets = Sheets { printed: 30, ..Sheets::default() };
        let out = Bundle::Planned.handed_over("Bưu điện Tam Kỳ").unwrap();
        assert_eq!(out.handed_over("khác"), Err(BundleRefusal::Past));
        assert_eq!(Bundle::Planned.received(30), Err(BundleRefusal::TooEarly));
        let short = out.received(29).unwrap().compared(sheets).unwrap();
        assert_eq!(short.may_key(), Err(BundleRefusal::Discrepancy));
        assert_eq!(short.signed("a", "b", Stage::Audited), Err(BundleRefusal::Discrepancy));
        assert_eq!(short.compared(sheets.with(Exit::Lost)).unwrap().may_key(), Ok(()));
        assert_eq!(short.compared(sheets.with(Exit::NotReturned)).unwrap().may_key(), Err(BundleRefusal::Discrepancy));
        let told = short.noted("a", "một đại biểu vắng mặt").unwrap();
        assert_eq!(told.signed("a", "a", Stage::Audited), Err(BundleRefusal::SamePerson));
        assert_eq!(told.signed("a", "b", Stage::Adjudicated), Err(BundleRefusal::NotSettled));
        let locked = told.signed("a", "b", Stage::Audited).unwrap();
        assert_eq!(locked.received(30), Err(BundleRefusal::Locked));
        let whole = out.received(30).unwrap().compared(sheets).unwrap();
        assert_eq!(whole.noted("a", "?"), Err(BundleRefusal::NothingToNote));
    }

    #[test]
    fn stages_follow_the_ballots() {
        let bundle = Bundle::Balanced { holder: String::new(), counted: 3 };
        let stage = |ballots: Ballots| Stage::of(&bundle, Ballots { here: 3, ..ballots }, false);
        assert_eq!(stage(Ballots { awaiting_first: 1, awaiting_second: 2, ..Ballots::default() }), Stage::Balanced);
        assert_eq!(stage(Ballots { awaiting_second: 1, cast: 2, ..Ballots::default() }), Stage::FirstComplete);
        assert_eq!(stage(Ballots { mismatched: 1, cast: 2, ..Ballots::default() }), Stage::SecondComplete);
        assert_eq!(stage(Ballots { referred: 1, cast: 2, ..Ballots::default() }), Stage::SecondComplete);
        let settled = Ballots { cast: 2, void: 1, ..Ballots::default() };
        assert_eq!(stage(settled), Stage::Adjudicated, "no sample and no word about it");
        assert_eq!(Stage::of(&bundle, settled, true), Stage::Audited);
        assert_eq!(stage(Ballots { awaiting_sample: 1, sampled: 2, ..settled }), Stage::Adjudicated);
        assert_eq!(stage(Ballots { sampled: 2, ..settled }), Stage::Audited);
    }
}
