//! `user.*` and `group.*`.

use yagura_model::field::FieldValue;

use super::names::FieldId;
use super::view::EventView;

impl<'a> EventView<'a> {
    pub(super) fn account_value(&self, id: FieldId) -> Option<FieldValue<'a>> {
        let thread = self.thread()?;
        let container = thread.container.as_ref();
        let accounts = &self.state.accounts;
        let known = |text: &'a str| (!text.is_empty()).then(|| FieldValue::text(text));
        // Whoever has id 0 is root, whether a list says so or not.
        let root = |id: u32| (id == 0).then(|| FieldValue::text("root"));
        match id {
            FieldId::UserUid => Some(FieldValue::Unsigned(u64::from(thread.uid))),
            FieldId::UserName => accounts
                .user(container, thread.uid)
                .and_then(|user| known(&user.name))
                .or_else(|| root(thread.uid)),
            FieldId::UserHome => accounts.user(container, thread.uid).and_then(|user| known(&user.home)),
            FieldId::UserShell => accounts.user(container, thread.uid).and_then(|user| known(&user.shell)),
            FieldId::UserLoginUid => {
                let uid = thread.login_uid;
                Some(FieldValue::Signed(if uid == u32::MAX { -1 } else { i64::from(uid) }))
            }
            FieldId::UserLoginName => accounts
                .user(container, thread.login_uid)
                .and_then(|user| known(&user.name))
                .or_else(|| root(thread.login_uid)),
            FieldId::GroupGid => Some(FieldValue::Unsigned(u64::from(thread.gid))),
            FieldId::GroupName => accounts
                .group(container, thread.gid)
                .and_then(|group| known(&group.name))
                .or_else(|| root(thread.gid)),
            _ => None,
        }
    }
}
