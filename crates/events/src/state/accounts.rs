//! Names of users and groups.

use std::collections::HashMap;
use std::sync::Arc;

use crate::scap::{Group, User};

/// Most users and groups that are kept.
const MAX_ACCOUNTS: usize = 64 << 10;

/// Users and groups of the host and of containers.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    users: HashMap<u32, Arc<User>>,
    groups: HashMap<u32, Arc<Group>>,
    contained_users: HashMap<(Arc<str>, u32), Arc<User>>,
    contained_groups: HashMap<(Arc<str>, u32), Arc<Group>>,
}

impl Accounts {
    /// A user as a container, or the host, knows it.
    pub fn user(&self, container: Option<&Arc<str>>, uid: u32) -> Option<&User> {
        match container {
            // Whoever has id 0 is root there as here.
            Some(container) => self
                .contained_users
                .get(&(container.clone(), uid))
                .or_else(|| self.users.get(&0).filter(|_| uid == 0))
                .map(Arc::as_ref),
            None => self.users.get(&uid).map(Arc::as_ref),
        }
    }

    pub fn group(&self, container: Option<&Arc<str>>, gid: u32) -> Option<&Group> {
        match container {
            Some(container) => self.contained_groups.get(&(container.clone(), gid)).map(Arc::as_ref),
            None => self.groups.get(&gid).map(Arc::as_ref),
        }
    }

    /// Users of the host.
    pub fn users(&self) -> Vec<&User> {
        let mut users: Vec<_> = self.users.values().map(Arc::as_ref).collect();
        users.sort_unstable_by_key(|user| user.uid);
        users
    }

    /// Groups of the host.
    pub fn groups(&self) -> Vec<&Group> {
        let mut groups: Vec<_> = self.groups.values().map(Arc::as_ref).collect();
        groups.sort_unstable_by_key(|group| group.gid);
        groups
    }

    pub fn add_user(&mut self, container: Option<Arc<str>>, user: User) {
        if self.users.len() + self.contained_users.len() >= MAX_ACCOUNTS {
            return;
        }
        match container {
            Some(container) => self.contained_users.insert((container, user.uid), Arc::new(user)),
            None => self.users.insert(user.uid, Arc::new(user)),
        };
    }

    pub fn add_group(&mut self, container: Option<Arc<str>>, group: Group) {
        if self.groups.len() + self.contained_groups.len() >= MAX_ACCOUNTS {
            return;
        }
        match container {
            Some(container) => self.contained_groups.insert((container, group.gid), Arc::new(group)),
            None => self.groups.insert(group.gid, Arc::new(group)),
        };
    }

    pub fn remove_user(&mut self, container: Option<Arc<str>>, uid: u32) {
        match container {
            Some(container) => self.contained_users.remove(&(container, uid)),
            None => self.users.remove(&uid),
        };
    }

    pub fn remove_group(&mut self, container: Option<Arc<str>>, gid: u32) {
        match container {
            Some(container) => self.contained_groups.remove(&(container, gid)),
            None => self.groups.remove(&gid),
        };
    }
}
