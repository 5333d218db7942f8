export { adapterContract, type AdapterCapabilities, type AdapterContract, type AdapterContractOptions, type AdapterSetup, type BootedAdapter } from './contract.js'
export { rawConnect, rawRequest, requestText, type RawConnection } from './raw-client.js'
export type { RawResponse } from './response-reader.js'
export { contractRoutes, type ContractRoute, type RouteInput, type RouteOutput } from './routes.js'
