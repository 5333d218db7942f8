export { storeContract, type ContractCase, type ContractClock, type SkippedCase, type StoreContractOptions, type StoreSupports, type StoreUnderTest } from './contract.js'
export { runCases, type CasesReport } from './run-cases.js'
