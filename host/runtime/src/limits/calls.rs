//! How many host calls of each interface.

use std::collections::BTreeMap;

use postern_domain::Interface;

/// A number of host calls for every interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceCalls([u32; Interface::ALL.len()]);

impl InterfaceCalls {
    const NONE: Self = Self([0; Interface::ALL.len()]);

    /// The number for an interface.
    pub const fn get(&self, interface: Interface) -> u32 {
        self.0[interface as usize]
    }

    /// Sets the number for an interface.
    pub const fn set(&mut self, interface: Interface, calls: u32) {
        self.0[interface as usize] = calls;
    }

    /// These numbers, but none above what is asked for.
    pub(super) fn lowered(&self, asked: &BTreeMap<Interface, u32>) -> Self {
        let mut lowered = self.clone();
        for (interface, calls) in asked {
            lowered.set(*interface, self.get(*interface).min(*calls));
        }
        lowered
    }

    /// Nothing called yet.
    pub(crate) const fn none() -> Self {
        Self::NONE
    }
}

/// Few where each call does something outside, more where it only reads.
impl Default for InterfaceCalls {
    fn default() -> Self {
        let mut calls = Self::NONE;
        for interface in Interface::ALL {
            let most = match interface {
                // Counted by lines, never here.
                Interface::Log => u32::MAX,
                Interface::Records => 200,
                Interface::Kv => 100,
                Interface::Ticket => 50,
                Interface::Http
                | Interface::Knowledge
                | Interface::Model
                | Interface::Message
                | Interface::Schedule => 20,
                Interface::Handover => 5,
            };
            calls.set(interface, most);
        }
        calls
    }
}
