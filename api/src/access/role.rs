//! The six roles of the staff, and which of them may open which part of the service.

/// What a member of staff is here for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Rounds, staff, machine clients.
    Administrator,
    /// The field work: codes, the paper desk, response rates.
    Supervisor,
    /// Copies paper ballots.
    Clerk,
    /// Settles what two clerks read differently.
    Adjudicator,
    /// Checks the paper desk: custody, samples, statistics. Reads samples and signs, keys nothing else.
    Auditor,
    /// Watches the response rates.
    Observer,
}

const MONITORING: (&str, &str) = ("/giam-sat", "Giám sát");
const DESK: (&str, &str) = ("/nhap-phieu", "Nhập phiếu giấy");
const BUNDLES: (&str, &str) = ("/nhap-phieu/bo", "Bó phiếu");
const ADMINISTRATION: (&str, &str) = ("/quan-tri", "Quản trị");

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Administrator, Self::Supervisor, Self::Clerk, Self::Adjudicator, Self::Auditor, Self::Observer];

    /// The name in the database, on the command line and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Supervisor => "supervisor",
            Self::Clerk => "clerk",
            Self::Adjudicator => "adjudicator",
            Self::Auditor => "auditor",
            Self::Observer => "observer",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// What people call it.
    #[must_use]
    pub const fn vietnamese(self) -> &'static str {
        match self {
            Self::Administrator => "Quản trị viên",
            Self::Supervisor => "Phụ trách điều tra",
            Self::Clerk => "Người nhập phiếu",
            Self::Adjudicator => "Người phân xử",
            Self::Auditor => "Kiểm soát viên",
            Self::Observer => "Người theo dõi",
        }
    }

    /// The pages that this role may open: path (without prefix) and words, for the page header.
    #[must_use]
    pub fn links(self) -> Vec<(&'static str, &'static str)> {
        let all = [
            (Monitoring::admits(self), MONITORING),
            (Desk::admits(self), DESK),
            (Desk::admits(self), BUNDLES),
            (AdministrationReading::admits(self), ADMINISTRATION),
        ];
        all.into_iter().filter_map(|(open, link)| open.then_some(link)).collect()
    }

    /// Where this role's work starts: the path (without prefix) that follows a sign-in.
    #[must_use]
    pub const fn first_page(self) -> &'static str {
        match self {
            Self::Administrator => ADMINISTRATION.0,
            Self::Supervisor | Self::Observer => MONITORING.0,
            Self::Clerk | Self::Adjudicator | Self::Auditor => DESK.0,
        }
    }
}

/// The roles that a handler is for, named in its signature as `Signed<Desk>`.
pub trait RoleSet: 'static {
    /// Its roles.
    const ROLES: &'static [Role];

    /// Whether `role` is one of them.
    #[must_use]
    fn admits(role: Role) -> bool {
        Self::ROLES.contains(&role)
    }
}

/// Whoever is signed in.
pub struct AnyStaff;
/// The paper desk: keying, adjudication, and who leads them.
pub struct Desk;
/// Whoever keys a ballot.
pub struct Keying;
/// Whoever settles a difference between two keyings.
pub struct Adjudicating;
/// Whoever leads the field work: custody of paper, codes.
pub struct Supervising;
/// Whoever leads the paper desk: lets temporary clerks in.
pub struct Leading;
/// Whoever leads or audits the paper desk: its statistics.
pub struct Overseeing;
/// Response rates.
pub struct Monitoring;
/// Acts on rounds, staff and machine clients.
pub struct Administration;
/// The same pages, read only.
pub struct AdministrationReading;

impl RoleSet for AnyStaff {
    const ROLES: &'static [Role] = &Role::ALL;
}
impl RoleSet for Desk {
    const ROLES: &'static [Role] = &[Role::Clerk, Role::Adjudicator, Role::Supervisor, Role::Auditor];
}
impl RoleSet for Keying {
    const ROLES: &'static [Role] = &[Role::Clerk, Role::Adjudicator];
}
impl RoleSet for Adjudicating {
    const ROLES: &'static [Role] = &[Role::Adjudicator];
}
impl RoleSet for Supervising {
    const ROLES: &'static [Role] = &[Role::Supervisor, Role::Administrator];
}
impl RoleSet for Leading {
    const ROLES: &'static [Role] = &[Role::Supervisor];
}
impl RoleSet for Overseeing {
    const ROLES: &'static [Role] = &[Role::Supervisor, Role::Auditor];
}
impl RoleSet for Monitoring {
    const ROLES: &'static [Role] = &[Role::Observer, Role::Supervisor, Role::Administrator];
}
impl RoleSet for Administration {
    const ROLES: &'static [Role] = &[Role::Administrator];
}
impl RoleSet for AdministrationReading {
    const ROLES: &'static [Role] = &[Role::Administrator, Role::Supervisor];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_reads_back_and_starts_on_a_page_that_it_may_open() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
            assert!(role.links().iter().any(|(path, _)| *path == role.first_page()), "{role:?}");
        }
        assert_eq!(Role::parse("root"), None);
    }

    #[test]
    fn the_header_shows_only_what_may_be_opened() {
        let paths = |role: Role| role.links().into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        assert_eq!(paths(Role::Clerk), ["/nhap-phieu", "/nhap-phieu/bo"]);
        assert_eq!(paths(Role::Observer), ["/giam-sat"]);
        assert_eq!(paths(Role::Administrator), ["/giam-sat", "/quan-tri"]);
        assert_eq!(paths(Role::Supervisor), ["/giam-sat", "/nhap-phieu", "/nhap-phieu/bo", "/quan-tri"]);
    }
}
