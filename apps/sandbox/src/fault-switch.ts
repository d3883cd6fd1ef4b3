import { type Fault, type SandboxService, sandboxServices } from './wire/faults.ts';
import type { ServiceHost } from './wire/service-host.ts';

/** Switches faults on and off, one at a time per service. */
export interface FaultSwitch {
  /** Resolves once the fault is in force, for `down` once connections are refused. */
  readonly set: (service: SandboxService, fault: Fault) => Promise<void>;
  /** Ends the fault of one service, or of all. Resolves once they respond again. */
  readonly clear: (service?: SandboxService) => Promise<void>;
  readonly current: () => Partial<Record<SandboxService, Fault>>;
}

export function createFaultSwitch(hosts: Readonly<Record<SandboxService, ServiceHost>>): FaultSwitch {
  return {
    set: (service, fault) => hosts[service].setFault(fault),
    async clear(service) {
      const affected = service === undefined ? sandboxServices : [service];
      await Promise.all(affected.map((name) => hosts[name].setFault(undefined)));
    },
    current() {
      const faults: Partial<Record<SandboxService, Fault>> = {};
      for (const name of sandboxServices) {
        const fault = hosts[name].fault();
        if (fault) {
          faults[name] = fault;
        }
      }
      return faults;
    },
  };
}
