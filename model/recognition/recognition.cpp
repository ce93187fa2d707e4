#include "model/recognition/recognition.h"

#include <torch/torch.h>

#include "core/error.h"
#include "core/text.h"
#include "model/recognition/iresnet.h"
#include "model/recognition/mobilefacenet.h"

namespace facemae {

std::vector<std::string> network_names() {
  return {"mobilefacenet", "iresnet-tiny", "iresnet18", "iresnet34", "iresnet50", "iresnet100"};
}

std::shared_ptr<RecognitionNetwork> make_network(const std::string& name) {
  if (name == "mobilefacenet") return std::make_shared<MobileFaceNet>();
  if (name == "iresnet-tiny") return std::make_shared<IResNet>(iresnet_tiny());
  if (name == "iresnet18") return std::make_shared<IResNet>(iresnet18());
  if (name == "iresnet34") return std::make_shared<IResNet>(iresnet34());
  if (name == "iresnet50") return std::make_shared<IResNet>(iresnet50());
  if (name == "iresnet100") return std::make_shared<IResNet>(iresnet100());
  throw ConfigError("making a recognition network: no network is called '" + name + "'" +
                    suggestion(name, network_names()));
}

}  // namespace facemae
