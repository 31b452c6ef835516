//! What belongs to one running instance, and the border that its calls cross.

use std::sync::Arc;

use postern_domain::{CallFailure, HostCall, HostReply, LogLine};
use wasmtime::ResourceLimiter;

use crate::{
    Answered, InterfaceCalls, Limits, PortError,
    halt::{Halt, Halted, WrongReply},
    host::weight,
    limits::Limit,
    meter::Meter,
    relay::Relay,
    wasi::Wasi,
};

/// What the guest's side and the side that polls it share.
#[derive(Debug)]
pub(crate) struct Border {
    pub(crate) meter: Meter,
    pub(crate) relay: Relay,
}

/// Everything that the host keeps for one invocation.
pub(crate) struct State {
    pub(crate) wasi: Wasi,
    pub(crate) limits: Limits,
    pub(crate) used: Used,
    /// Why the guest was stopped; the first reason stays.
    pub(crate) halt: Option<Halt>,
    border: Arc<Border>,
    /// Whether output may go to the port as log lines.
    log: bool,
}

/// What was used so far of what the limits count.
#[derive(Debug)]
pub(crate) struct Used {
    pub(crate) memory_bytes: u64,
    pub(crate) table_elements: u64,
    pub(crate) host_calls: u32,
    pub(crate) interface_calls: InterfaceCalls,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    pub(crate) log_lines: u32,
    pub(crate) log_bytes: u64,
    pub(crate) log_lines_dropped: u32,
}

impl Used {
    const NOTHING: Self = Self {
        memory_bytes: 0,
        table_elements: 0,
        host_calls: 0,
        interface_calls: InterfaceCalls::none(),
        sent_bytes: 0,
        received_bytes: 0,
        log_lines: 0,
        log_bytes: 0,
        log_lines_dropped: 0,
    };
}

impl State {
    pub(crate) fn new(wasi: Wasi, limits: Limits, border: Arc<Border>, log: bool) -> Self {
        Self { wasi, limits, used: Used::NOTHING, halt: None, border, log }
    }

    /// Keeps the reason and gives the error that ends the guest.
    pub(crate) fn stop(&mut self, reason: Halt) -> wasmtime::Error {
        self.halt.get_or_insert(reason);
        wasmtime::Error::new(Halted)
    }

    /// Ends the guest if its processor time is used up.
    pub(crate) fn check_cpu(&mut self) -> wasmtime::Result<()> {
        if self.border.meter.is_used_up() {
            return Err(self.stop(Halt::Limit(Limit::CpuTime)));
        }
        Ok(())
    }

    /// Counts a call of the guest and puts it to the port, if it is acceptable.
    pub(crate) async fn ask(
        &mut self,
        call: Result<HostCall, CallFailure>,
    ) -> wasmtime::Result<Result<HostReply, CallFailure>> {
        if self.used.host_calls >= self.limits.host_calls {
            return Err(self.stop(Halt::Limit(Limit::HostCalls)));
        }
        self.used.host_calls += 1;
        let call = match call {
            Ok(call) => call,
            Err(failure) => return Ok(Err(failure)),
        };
        let interface = call.interface();
        let calls = self.used.interface_calls.get(interface);
        if calls >= self.limits.interface_calls.get(interface) {
            return Err(self.stop(Halt::Limit(Limit::InterfaceCalls(interface))));
        }
        self.used.interface_calls.set(interface, calls + 1);
        self.forward_output(false).await?;
        self.send(weight::of_call(&call))?;
        let answer = self.put(call).await?;
        self.receive(match &answer {
            Ok(reply) => weight::of_reply(reply),
            Err(failure) => failure.message.len() as u64,
        })?;
        Ok(answer)
    }

    /// Ends the guest because the port answered `action` with something else.
    pub(crate) fn wrong_reply(&mut self, action: &'static str) -> wasmtime::Error {
        self.stop(Halt::Abort(Box::new(WrongReply { action })))
    }

    /// Puts a log line to the port, or drops and counts it if it is over a cap. The
    /// guest never learns which.
    pub(crate) async fn log(&mut self, line: LogLine) -> wasmtime::Result<()> {
        self.send(weight::of_line(&line))?;
        self.forward_output(false).await?;
        self.forward(line).await
    }

    /// Sends what the guest printed to the log, so that it stands in its place
    /// among the calls. At the `end` also a last line that has no end.
    pub(crate) async fn forward_output(&mut self, end: bool) -> wasmtime::Result<()> {
        let (lines, dropped) = self.wasi.take_output(end);
        self.used.log_lines_dropped = self.used.log_lines_dropped.saturating_add(dropped);
        if !self.log {
            return Ok(());
        }
        for line in lines {
            self.forward(line).await?;
        }
        Ok(())
    }

    async fn forward(&mut self, line: LogLine) -> wasmtime::Result<()> {
        let bytes = self.used.log_bytes.saturating_add(weight::of_line(&line));
        if self.used.log_lines >= self.limits.log_lines || bytes > self.limits.log_bytes {
            self.used.log_lines_dropped = self.used.log_lines_dropped.saturating_add(1);
            return Ok(());
        }
        self.used.log_lines += 1;
        self.used.log_bytes = bytes;
        // A line that policy refuses is dropped like one over the cap.
        self.put(HostCall::Log { line }).await.map(drop)
    }

    /// The port's answer. The guest's clocks move to its time, so that they show
    /// the same whenever the call is answered from a record.
    async fn put(&mut self, call: HostCall) -> wasmtime::Result<Result<HostReply, CallFailure>> {
        match self.border.relay.call(call).await {
            Ok(Answered { answer, at }) => {
                self.wasi.move_clocks(at);
                Ok(answer)
            }
            Err(PortError(reason)) => Err(self.stop(Halt::Abort(reason))),
        }
    }

    /// Counts bytes that the guest gives to the host.
    fn send(&mut self, bytes: u64) -> wasmtime::Result<()> {
        self.used.sent_bytes = self.used.sent_bytes.saturating_add(bytes);
        if self.used.sent_bytes > self.limits.sent_bytes {
            return Err(self.stop(Halt::Limit(Limit::Sent)));
        }
        Ok(())
    }

    /// Counts bytes that the guest gets from the host.
    pub(crate) fn receive(&mut self, bytes: u64) -> wasmtime::Result<()> {
        self.used.received_bytes = self.used.received_bytes.saturating_add(bytes);
        if self.used.received_bytes > self.limits.received_bytes {
            return Err(self.stop(Halt::Limit(Limit::Received)));
        }
        Ok(())
    }
}

/// How much is in use after growing, or none if that is refused and costs
/// nothing: a module does not grow beyond what it declares, as the WebAssembly
/// standard has it.
fn grown(used: u64, current: usize, desired: usize, maximum: Option<usize>) -> Option<u64> {
    if maximum.is_some_and(|most| desired > most) {
        return None;
    }
    Some(used.saturating_add(desired.saturating_sub(current) as u64))
}

/// Growth beyond the invocation's limit ends it.
impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let Some(total) = grown(self.used.memory_bytes, current, desired, maximum) else {
            return Ok(false);
        };
        if total > self.limits.memory_bytes {
            return Err(self.stop(Halt::Limit(Limit::Memory)));
        }
        self.used.memory_bytes = total;
        Ok(true)
    }

    /// Growth was allowed above, so it is the system that has no more memory.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let Some(total) = grown(self.used.table_elements, current, desired, maximum) else {
            return Ok(false);
        };
        if total > self.limits.table_elements {
            return Err(self.stop(Halt::Limit(Limit::Table)));
        }
        self.used.table_elements = total;
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error)
    }
}
