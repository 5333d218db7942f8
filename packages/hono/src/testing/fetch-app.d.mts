import type { AdapterSetup } from '@hopwise/testkit/adapter'

export declare function fetchApp(setup: AdapterSetup): (request: Request) => Promise<Response>
