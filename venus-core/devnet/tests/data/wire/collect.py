#!/usr/bin/env python3
"""Calls a node's JSON-RPC some 230 times and writes request, status and exact answer: collect.py http://127.0.0.1:PORT TOKEN out.jsonl
The recordings beside it were made with it; compare.py tells where two such files differ. Let the chain be 40 epochs high and hold BLS messages, and miner t01000 have sectors 0 and 1, or some calls are skipped."""
import json,sys,urllib.request,urllib.error,base64
base,tok,out=sys.argv[1:4]
f=open(out,'w'); n=0
def call(method,params,path='/rpc/v1',token=tok,note=None,raw=None):
    body=raw if raw is not None else json.dumps({"jsonrpc":"2.0","id":1,"method":"Filecoin."+method if '.' not in method and not method.startswith('eth_') else method,"params":params},separators=(',',':'))
    h={'Content-Type':'application/json'}
    if token: h['Authorization']='Bearer '+token
    try:
        r=urllib.request.urlopen(urllib.request.Request(base+path,body.encode(),h),timeout=90); st=r.status; txt=r.read().decode('utf8','replace')
    except urllib.error.HTTPError as e: st=e.code; txt=e.read().decode('utf8','replace')
    except Exception as e: print('skip',method,e); return None
    rec={"path":path,"token":("none" if not token else note_tok.get(token,'admin')),"request":body,"status":st,"response":txt}
    if note: rec['note']=note
    f.write(json.dumps(rec,ensure_ascii=False)+'\n')
    try: j=json.loads(txt); return j.get('result')
    except Exception: return None
note_tok={}
head=call('ChainHead',[]); k=head['Cids']; h=head['Height']; b=head['Blocks'][0]
par=b['Parents']; M='t01000'; 
call('Version',[]); call('ChainGetGenesis',[]); call('ChainGetTipSet',[k]); call('ChainGetTipSet',[[]],note='empty key'); call('ChainGetTipSet',[None],note='null key'); call('ChainGetTipSet',[par])
for hh in (0,1,h//2,h,h+5): call('ChainGetTipSetByHeight',[hh,k]); call('ChainGetTipSetAfterHeight',[hh,k])
call('ChainGetBlock',[k[0]]); call('ChainGetBlockMessages',[k[0]]); call('ChainGetParentMessages',[k[0]]); call('ChainGetParentReceipts',[k[0]])
# find a block with messages
t=call('ChainGetTipSet',[k]); msgcid=None; look=t; signed=None; mk=None
for i in range(60):
    ms=call('ChainGetMessagesInTipset',[look['Cids']],note='walk') or []
    for c in look['Cids']:
        bm=call('ChainGetBlockMessages',[c],note='walk')
        if bm and bm['BlsMessages']: msgcid=bm['Cids'][0]; signed=bm['BlsMessages'][0]; mk=c
    if msgcid: break
    look=call('ChainGetTipSet',[look['Blocks'][0]['Parents']],note='walk')
    if look['Height']==0: break
print('msg',msgcid)
if msgcid:
    call('ChainGetMessage',[msgcid]); call('StateSearchMsg',[[],msgcid,-1,True]); call('StateWaitMsg',[msgcid,1,-1,True]); call('StateReplay',[[],msgcid]); call('ChainGetParentMessages',[mk]); call('ChainGetParentReceipts',[mk]); call('StateSearchMsg',[k,msgcid,2,True],note='limit'); 
    call('ChainReadObj',[msgcid]); call('ChainHasObj',[msgcid]); call('ChainReadObj',[b['Messages']]); call('ChainReadObj',[k[0]])
call('ChainGetMessage',[{"/":"bafy2bzacebp3shtrn43k7g3unredz7fxn4gj533d3o43tqn2p2ipxxhrvchve"}],note='absent'); call('StateSearchMsg',[[],{"/":"bafy2bzacebp3shtrn43k7g3unredz7fxn4gj533d3o43tqn2p2ipxxhrvchve"},-1,True],note='absent')
call('ChainTipSetWeight',[k]); call('ChainGetPath',[par,k]); call('ChainGetPath',[k,par])
E32=base64.b64encode(b'\x43\x00\xe8\x07').decode()
call('StateGetRandomnessFromTickets',[5,h-1,E32,k]); call('StateGetRandomnessFromBeacon',[5,h-1,E32,k]); call('StateGetBeaconEntry',[h]); call('BeaconGetEntry',[h]); call('StateGetRandomnessDigestFromTickets',[h-1,k]); call('StateGetRandomnessDigestFromBeacon',[h-1,k])
for m in ['StateNetworkName','StateGetNetworkParams','SyncState','StateActorCodeCIDs','NodeStatus','NetAddrsListen','NetPeers','NetAgentVersion','MpoolGetConfig','WalletDefaultAddress','WalletList','EthChainId','EthBlockNumber','eth_chainId','eth_blockNumber','F3GetManifest','F3IsRunning','F3GetProgress','F3GetLatestCertificate','F3ListParticipants','F3GetOrRenewParticipationTicket','NetworkParams','Discover','Session','StateGetNetworkParams','ProtocolParameters','AuthNew']:
    call(m,[] if m!='NodeStatus' else [True])
call('StateNetworkVersion',[k]); call('StateNetworkVersion',[[]]); call('StateActorCodeCIDs',[26]); call('StateActorManifestCID',[26])
for m in ['StateMinerInfo','StateMinerPower','StateMinerDeadlines','StateMinerProvingDeadline','StateMinerFaults','StateMinerRecoveries','StateMinerActiveSectors','StateMinerSectorCount','StateMinerAvailableBalance','StateGetActor','StateReadState','StateLookupID','StateLookupRobustAddress','StateMarketBalance','StateMinerWorkerAddress','StateMinerSectorSize','StateAllMinerFaults' ]:
    call(m,[M,k]); call(m,['t0999999',k],note='absent')
call('StateMinerPower',['t00',k],note='total'); call('StateMinerPartitions',[M,0,k]); call('StateMinerPartitions',[M,47,k]);  
for d in range(48):
    r=call('StateMinerPartitions',[M,d,k],note='scan') 
    if r: break
call('StateMinerSectors',[M,None,k]); call('StateMinerSectors',[M,[0,1],k],note='bitfield run array'); call('StateMinerSectorAllocated',[M,0,k]); call('StateMinerSectorAllocated',[M,9999,k])
for s in (0,1,77): 
    call('StateSectorGetInfo',[M,s,k]); call('StateSectorPreCommitInfo',[M,s,k]); call('StateSectorExpiration',[M,s,k]); call('StateSectorPartition',[M,s,k])
info=call('StateMinerInfo',[M,[]]); w=info['Worker']; 
wk=call('StateAccountKey',[w,k]); call('StateLookupID',[wk,k]); call('StateAccountKey',[M,k],note='not an account'); call('StateGetActor',[wk,k]); call('StateReadState',[wk,k]); call('StateReadState',['t04',k]); call('StateReadState',['t02',k]); call('StateReadState',['t05',k]); call('StateReadState',['t06',k]); call('StateReadState',['t07',k]); call('StateReadState',['t01',k]); call('StateReadState',['t03',k])
for m in ['StateListMiners','StateListActors','StateMarketParticipants','StateMarketDeals','StateCirculatingSupply','StateVMCirculatingSupplyInternal','StateVerifiedRegistryRootKey']: call(m,[k])
for d in (0,1,2,999): call('StateMarketStorageDeal',[d,k])
call('StateDealProviderCollateralBounds',[2048,True,k]); call('StateVerifiedClientStatus',[wk,k]); call('StateVerifierStatus',[wk,k]); call('StateGetAllocations',[wk,k]); call('StateGetAllocation',[wk,1,k]); call('StateGetClaims',[M,k]); call('StateGetClaim',[M,1,k]); call('StateGetAllocationForPendingDeal',[0,k])
pci={"SealProof":5,"SectorNumber":9,"SealedCID":{"/":"bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz"},"SealRandEpoch":0,"DealIDs":[],"Expiration":h+518400+200,"UnsealedCid":None}
call('StateMinerPreCommitDepositForPower',[M,pci,k]); call('StateMinerInitialPledgeCollateral',[M,pci,k]); call('StateMinerInitialPledgeForSector',[518400,2048,0,k])
msg={"Version":0,"To":wk,"From":wk,"Nonce":0,"Value":"0","GasLimit":0,"GasFeeCap":"0","GasPremium":"0","Method":0,"Params":None,"CID":{"/":"bafy2bzacebp3shtrn43k7g3unredz7fxn4gj533d3o43tqn2p2ipxxhrvchve"}}
call('MpoolGetNonce',[wk]); call('GasEstimateGasLimit',[msg,k]); call('GasEstimateGasPremium',[2,wk,10000,k]); call('GasEstimateFeeCap',[dict(msg,GasPremium="100000"),20,k]); call('GasEstimateMessageGas',[msg,{"MaxFee":"0"},k]); call('GasEstimateMessageGas',[msg,None,k]); call('GasEstimateMessageGas',[msg,{"MaxFee":"1000000"},k],note='max fee'); call('GasEstimateMessageGas',[dict(msg,Value="999999999999999999999999999999"),None,k],note='too much value'); call('GasEstimateMessageGas',[dict(msg,To='t099999',Method=5),None,k],note='bad recipient')
call('GasBatchEstimateMessageGas',[[{"Msg":msg,"Spec":{"MaxFee":"0","GasOverEstimation":1.25,"GasOverPremium":0}},{"Msg":dict(msg,To='t099999',Method=5),"Spec":None}],msg and 0,k]); call('GasBatchEstimateMessageGas',[[{"Msg":msg,"Spec":{"MaxFee":"0","GasOverEstimation":1.25,"GasOverPremium":0}},{"Msg":dict(msg,To='t099999',Method=5),"Spec":None}],call('MpoolGetNonce',[wk]),k])
call('StateCall',[msg,k]); call('StateCall',[dict(msg,Value="999999999999999999999999999999"),k],note='insufficient'); call('StateCall',[dict(msg,To=M,Method=2),k],note='method of miner'); call('StateCompute',[h,[],k]) if False else None
call('StateDecodeParams',[M,16,base64.b64encode(bytes.fromhex('8140')).decode(),k]); call('StateEncodeParams',[{"/":"bafk2bzacecf"},16,"{}"],note='bad cid')
call('MpoolPending',[k]); call('MpoolSelect',[k,0.5]); call('MpoolSelects',[k,[0.9,0.5,0.1]]); call('MpoolSelect',[k,1.5],note='quality out of range')
bi=call('MinerGetBaseInfo',[M,h+1,k]); call('MinerGetBaseInfo',[M,h+5,k],note='null rounds ahead'); call('MinerGetBaseInfo',['t0999999',h+1,k],note='absent miner'); 
call('MinerCreateBlock',[{"Miner":M,"Parents":k,"Ticket":{"VRFProof":b['Ticket']['VRFProof']},"Eproof":{"WinCount":1,"VRFProof":b['Ticket']['VRFProof']},"BeaconValues":bi['BeaconEntries'] if bi else None,"Messages":[],"Epoch":h+1,"Timestamp":b['Timestamp']+4,"WinningPoStProof":[{"PoStProof":0,"ProofBytes":base64.b64encode(b"valid proof").decode()}]}],note='unsigned template (worker key not in the node)')
sm={"Message":dict(msg,GasLimit=1000000,GasFeeCap="1000000000",GasPremium="100000"),"Signature":{"Type":2,"Data":base64.b64encode(b'\xc0'+b'\0'*95).decode()}}; sm['Message'].pop('CID')
call('MpoolPush',[sm],note='bad signature'); call('MpoolPushUntrusted',[sm],note='bad signature'); call('MpoolBatchPush',[[sm,sm]],note='bad signatures'); call('MpoolBatchPushUntrusted',[[sm,sm]],note='bad signatures')
call('MpoolPush',[dict(sm,Message=dict(sm['Message'],GasLimit=0))],note='gas limit 0'); call('MpoolPush',[dict(sm,Message=dict(sm['Message'],GasFeeCap="0"))],note='fee cap 0'); call('MpoolPush',[dict(sm,Message=dict(sm['Message'],Version=1))],note='version 1'); call('MpoolPush',[dict(sm,Message=dict(sm['Message'],Value="-1"))],note='negative value'); call('MpoolPush',[dict(sm,Message=dict(sm['Message'],To='f01000'))],note='f prefix')
call('WalletHas',[wk]); call('WalletBalance',[wk]); call('WalletValidateAddress',[wk]); call('WalletValidateAddress',['x1']); call('WalletVerify',[wk,base64.b64encode(b'hi').decode(),{"Type":2,"Data":base64.b64encode(b'\xc0'+b'\0'*95).decode()}])
call('NoSuchMethod',[],note='unknown method'); call('ChainHead',[1],note='too many params'); call('ChainGetTipSet',[],note='too few params'); call('ChainGetTipSet',['x'],note='wrong type'); call('ChainHead',None,note='params null'); call('StateMinerInfo',['zz',k],note='bad address'); call('ChainHead',[],token=None,note='no token'); call('MpoolPush',[sm],token=None,note='no token'); call('ChainHead',[],token='garbage',note='garbage token'); call('x',[],raw='{bad json',note='malformed'); call('x',[],raw='[{"jsonrpc":"2.0","id":1,"method":"Filecoin.ChainHead","params":[]}]',note='batch'); call('x',[],raw='{"id":"abc","method":"Filecoin.StateNetworkName","params":[]}',note='string id, no jsonrpc'); call('x',[],raw='{"jsonrpc":"2.0","method":"Filecoin.StateNetworkName","params":[]}',note='no id'); call('x',[],raw='{"jsonrpc":"2.0","id":1,"method":"Filecoin.StateNetworkName"}',note='no params'); call('x',[],raw='{"jsonrpc":"2.0","id":1,"method":"Filecoin.StateNetworkName","params":{}}',note='object params')
call('ChainHead',[],path='/rpc/v0',note='v0'); call('StateMinerInfo',[M,k],path='/rpc/v0',note='v0'); call('StateSearchMsg',[msgcid] if msgcid else [k[0]],path='/rpc/v0',note='v0'); call('Version',[],path='/rpc/v0'); call('ChainHead',[],path='/rpc/v2',note='v2'); 
f.close()
